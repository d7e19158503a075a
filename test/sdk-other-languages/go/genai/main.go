// Google's genai SDK: makes a picture, edits, streams, counts tokens, chats, lists the models, and meets errors.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"google.golang.org/genai"
)

const model = "gemini-3.1-flash-image"

var (
	ctx   = context.Background()
	facts = map[string]any{}
)

func main() {
	client := clientWith(os.Getenv("PLANTAIN_KEY"))
	generate(client)
	edit(client)
	stream(client)
	chat(client)
	listModels(client)
	meetErrors(client)
	must(0, json.NewEncoder(os.Stdout).Encode(facts))
}

func clientWith(key string) *genai.Client {
	return must(genai.NewClient(ctx, &genai.ClientConfig{
		APIKey:      key,
		Backend:     genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: os.Getenv("PLANTAIN_URL")},
	}))
}

func small(ratio string) *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{ImageConfig: &genai.ImageConfig{AspectRatio: ratio, ImageSize: "512"}}
}

func magenta() *genai.Part {
	return genai.NewPartFromBytes(must(os.ReadFile("magenta.png")), "image/png")
}
func green() *genai.Part { return genai.NewPartFromBytes(must(os.ReadFile("green.jpg")), "image/jpeg") }

func asked(parts ...*genai.Part) []*genai.Content {
	return []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}
}

func generate(client *genai.Client) {
	answer := must(client.Models.GenerateContent(ctx, model, genai.Text("A red kite over a green valley"), small("16:9")))
	save("kite.jpg", answer)
	facts["finish_reason"] = answer.Candidates[0].FinishReason
	facts["model_version"] = answer.ModelVersion
	facts["image_tokens"] = answer.UsageMetadata.CandidatesTokenCount

	refused := must(client.Models.GenerateContent(ctx, model, genai.Text("A kite [sandbox refuse=IMAGE_SAFETY]"), nil))
	facts["refusal"] = refused.Candidates[0].FinishReason
}

func edit(client *genai.Client) {
	one := asked(genai.NewPartFromText("Frame it"), magenta())
	save("framed.jpg", must(client.Models.GenerateContent(ctx, model, one, small("1:1"))))
	two := asked(genai.NewPartFromText("Hang them side by side"), magenta(), green())
	save("collage.jpg", must(client.Models.GenerateContent(ctx, model, two, small("3:2"))))

	facts["text_tokens"] = must(client.Models.CountTokens(ctx, model, genai.Text("Frame it"), nil)).TotalTokens
	facts["picture_tokens"] = must(client.Models.CountTokens(ctx, model, one, nil)).TotalTokens
}

func stream(client *genai.Client) {
	config := small("1:1")
	config.ResponseModalities = []string{"TEXT", "IMAGE"}
	config.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true}
	text, thought := "", false
	for chunk, err := range client.Models.GenerateContentStream(ctx, model, genai.Text("A lighthouse"), config) {
		must(0, err)
		for _, part := range chunk.Candidates[0].Content.Parts {
			switch {
			case part.Thought:
				thought = true
			case part.InlineData != nil:
				must(0, os.WriteFile("streamed.jpg", part.InlineData.Data, 0o644))
			default:
				text += part.Text
			}
		}
		facts["stream_end"] = chunk.Candidates[0].FinishReason
	}
	facts["streamed_text"], facts["streamed_thought"] = text, thought
	streamPair(client)
}

// Two candidates are a stream of the gateway's own; so late that a heartbeat comes before the first event.
func streamPair(client *genai.Client) {
	pair := small("1:1")
	pair.CandidateCount = 2
	var pictures []string
	late := genai.Text("A lighthouse [sandbox delay=13s drafts=1]")
	for chunk, err := range client.Models.GenerateContentStream(ctx, model, late, pair) {
		must(0, err)
		for _, part := range chunk.Candidates[0].Content.Parts {
			switch {
			case part.InlineData == nil:
			case part.Thought:
				pictures = append(pictures, "draft")
			default:
				pictures = append(pictures, "picture")
			}
		}
	}
	facts["translated"] = pictures
}

// A chat sends the whole conversation again each time: its pictures, and their signatures unchanged.
func chat(client *genai.Client) {
	conversation := must(client.Chats.Create(ctx, model, small("1:1"), nil))
	must(conversation.SendMessage(ctx, genai.Part{Text: "A red kite"}))
	save("chat.jpg", must(conversation.SendMessage(ctx, genai.Part{Text: "Hang this beside it"}, *magenta())))
}

func listModels(client *genai.Client) {
	var names []string
	for found, err := range client.Models.All(ctx) {
		must(0, err)
		names = append(names, found.Name)
	}
	facts["models"] = names
	facts["model"] = must(client.Models.Get(ctx, model, nil)).Name
}

func meetErrors(client *genai.Client) {
	_, badRatio := client.Models.GenerateContent(ctx, model, genai.Text("A kite"), small("7:5"))
	_, wrongKey := clientWith("a-wrong-key").Models.GenerateContent(ctx, model, genai.Text("A kite"), nil)
	_, unknownModel := client.Models.GenerateContent(ctx, "gemini-0-image", genai.Text("A kite"), nil)
	_, quota := client.Models.GenerateContent(ctx, model, genai.Text("A kite [sandbox status=429 retry=3s]"), nil)
	_, failedUpstream := client.Models.GenerateContent(ctx, model, genai.Text("A kite [sandbox status=500]"), nil)
	var inStream error
	for _, inStream = range client.Models.GenerateContentStream(ctx, model, genai.Text("A kite"), small("7:5")) {
	}
	facts["errors"] = map[string]any{
		"bad ratio":             told(badRatio),
		"bad ratio in a stream": told(inStream),
		"wrong key":             told(wrongKey),
		"unknown model":         told(unknownModel),
		"quota":                 told(quota),
		"failed upstream":       told(failedUpstream),
	}
}

func told(err error) any {
	var failure genai.APIError
	if !errors.As(err, &failure) {
		log.Fatalf("not a genai.APIError: %v", err)
	}
	return map[string]any{"code": failure.Code, "status": failure.Status, "message": failure.Message}
}

func save(name string, answer *genai.GenerateContentResponse) {
	for _, part := range answer.Candidates[0].Content.Parts {
		if part.InlineData != nil {
			must(0, os.WriteFile(name, part.InlineData.Data, 0o644))
			return
		}
	}
	log.Fatalf("no picture for %s", name)
}

func must[Value any](value Value, err error) Value {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
