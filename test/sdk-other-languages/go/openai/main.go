// OpenAI's SDK: makes pictures, edits one, edits two together, streams, takes addresses, lists the models, and meets errors.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

var (
	ctx   = context.Background()
	url   = os.Getenv("PLANTAIN_URL") + "/v1"
	facts = map[string]any{}
)

func main() {
	client := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey(os.Getenv("PLANTAIN_KEY")))
	generate(client)
	edit(client)
	stream(client)
	fetch(client)
	listModels(client)
	meetErrors(client)
	must(0, json.NewEncoder(os.Stdout).Encode(facts))
}

func generate(client openai.Client) {
	answer := must(client.Images.Generate(ctx, openai.ImageGenerateParams{
		Model:          "nano-banana-2",
		Prompt:         "A red kite over a green valley",
		N:              openai.Int(2),
		ResponseFormat: openai.ImageGenerateParamsResponseFormatB64JSON,
	}, option.WithJSONSet("aspect_ratio", "16:9"), option.WithJSONSet("image_size", "512")))
	save("kite-1.jpg", answer.Data[0])
	save("kite-2.jpg", answer.Data[1])
	facts["size"] = answer.Size
	facts["format"] = answer.OutputFormat
	facts["tokens"] = answer.Usage.TotalTokens
}

func edit(client openai.Client) {
	// A bare file goes up as application/octet-stream; openai.File gives it a name and a type.
	magenta := must(os.Open("magenta.png"))
	edited := must(client.Images.Edit(ctx, openai.ImageEditParams{
		Model:  "nano-banana-2",
		Image:  openai.ImageEditParamsImageUnion{OfFile: magenta},
		Prompt: "Frame it",
		Size:   openai.ImageEditParamsSize512x512,
	}))
	save("framed.jpg", edited.Data[0])

	pictures := []io.Reader{must(os.Open("magenta.png")), openai.File(must(os.Open("green.jpg")), "green.jpg", "image/jpeg")}
	together := openai.ImageEditParams{
		Model:  "nano-banana-2",
		Image:  openai.ImageEditParamsImageUnion{OfFileArray: pictures},
		Prompt: "Hang them side by side",
		N:      openai.Int(1),
	}
	together.SetExtraFields(map[string]any{"aspect_ratio": "3:2", "image_size": "512"})
	save("collage.jpg", must(client.Images.Edit(ctx, together)).Data[0])
}

func stream(client openai.Client) {
	// So late that a heartbeat comes before the first event.
	late := client.Images.GenerateStreaming(ctx, openai.ImageGenerateParams{
		Model:         "nano-banana-2",
		Prompt:        "A lighthouse [sandbox delay=13s drafts=2]",
		Size:          openai.ImageGenerateParamsSize512x512,
		PartialImages: openai.Int(2),
	})
	var types []string
	for late.Next() {
		event := late.Current()
		save(fmt.Sprintf("stream-%d.jpg", len(types)), openai.Image{B64JSON: event.B64JSON})
		types = append(types, event.Type)
		if event.Type == "image_generation.completed" {
			facts["streamed_tokens"] = event.AsImageGenerationCompleted().Usage.TotalTokens
		}
	}
	must(0, late.Err())
	facts["streamed"] = types

	broken := client.Images.GenerateStreaming(ctx, openai.ImageGenerateParams{
		Model:         "nano-banana-2",
		Prompt:        "A lighthouse [sandbox drafts=2 cut]",
		Size:          openai.ImageGenerateParamsSize512x512,
		PartialImages: openai.Int(1),
	})
	for broken.Next() {
	}
	facts["stream_error"] = broken.Err().Error()
}

// An address can be fetched by anybody who has it, without a key.
func fetch(client openai.Client) {
	stored := must(client.Images.Edit(ctx, openai.ImageEditParams{
		Model:          "nano-banana-2",
		Image:          openai.ImageEditParamsImageUnion{OfFile: must(os.Open("magenta.png"))},
		Prompt:         "Frame it",
		Size:           openai.ImageEditParamsSize512x512,
		ResponseFormat: openai.ImageEditParamsResponseFormatURL,
	}))
	answer := must(http.Get(stored.Data[0].URL))
	defer answer.Body.Close()
	must(0, os.WriteFile("fetched.jpg", must(io.ReadAll(answer.Body)), 0o644))
}

func listModels(client openai.Client) {
	var names []string
	models := client.Models.ListAutoPaging(ctx)
	for models.Next() {
		names = append(names, models.Current().ID)
	}
	must(0, models.Err())
	facts["models"] = names
	facts["model"] = must(client.Models.Get(ctx, "google/nano-banana-2")).ID
}

func meetErrors(client openai.Client) {
	stranger := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("a-wrong-key"))
	kite := openai.ImageGenerateParams{Model: "nano-banana-2", Prompt: "A kite"}
	refused := openai.ImageGenerateParams{Model: "nano-banana-2", Prompt: "A kite [sandbox refuse=IMAGE_SAFETY]"}
	usedUp := openai.ImageGenerateParams{Model: "nano-banana-2", Prompt: "A kite [sandbox status=429 daily]"}
	unknown := openai.ImageGenerateParams{Model: "gemini-0-image", Prompt: "A kite"}
	noPicture := openai.ImageEditParams{
		Prompt: "A kite",
		Image:  openai.ImageEditParamsImageUnion{OfFile: strings.NewReader("certainly not a picture")},
	}
	_, badRatio := client.Images.Generate(ctx, kite, option.WithJSONSet("aspect_ratio", "7:5"))
	_, badPicture := client.Images.Edit(ctx, noPicture)
	_, refusal := client.Images.Generate(ctx, refused)
	_, wrongKey := stranger.Images.Generate(ctx, kite)
	_, unknownModel := client.Images.Generate(ctx, unknown)
	_, usedUpQuota := client.Images.Generate(ctx, usedUp)
	facts["errors"] = map[string]any{
		"bad ratio":     told(badRatio),
		"no picture":    told(badPicture),
		"refusal":       told(refusal),
		"wrong key":     told(wrongKey),
		"unknown model": told(unknownModel),
		"used-up quota": told(usedUpQuota),
	}
}

func told(err error) any {
	var failure *openai.Error
	if !errors.As(err, &failure) {
		log.Fatalf("not an openai.Error: %v", err)
	}
	return map[string]any{"status": failure.StatusCode, "type": failure.Type, "code": failure.Code, "param": failure.Param}
}

func save(name string, image openai.Image) {
	must(0, os.WriteFile(name, must(base64.StdEncoding.DecodeString(image.B64JSON)), 0o644))
}

func must[Value any](value Value, err error) Value {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
