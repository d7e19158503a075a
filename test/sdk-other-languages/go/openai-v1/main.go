// OpenAI's SDK in its first major version, which many programs still use: a picture, an edit of two, an address, a stream, and an error.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"
)

func main() {
	ctx := context.Background()
	client := openai.NewClient(
		option.WithBaseURL(os.Getenv("PLANTAIN_URL")+"/v1"),
		option.WithAPIKey(os.Getenv("PLANTAIN_KEY")),
	)
	kite := openai.ImageGenerateParams{Model: "nano-banana-2", Prompt: "A red kite over a green valley"}

	painted := must(client.Images.Generate(ctx, kite, option.WithJSONSet("aspect_ratio", "16:9"), option.WithJSONSet("image_size", "512")))
	save("kite.jpg", painted.Data[0])

	collage := must(client.Images.Edit(ctx, openai.ImageEditParams{
		Model: "nano-banana-2",
		Image: openai.ImageEditParamsImageUnion{OfFileArray: []io.Reader{
			must(os.Open("magenta.png")),
			openai.File(must(os.Open("green.jpg")), "green.jpg", "image/jpeg"),
		}},
		Prompt: "Hang them side by side",
		Size:   openai.ImageEditParamsSize512x512,
	}))
	save("collage.jpg", collage.Data[0])

	stored := must(client.Images.Generate(ctx, openai.ImageGenerateParams{
		Model:          "dall-e-3",
		Prompt:         "A red kite",
		Size:           openai.ImageGenerateParamsSize512x512,
		ResponseFormat: openai.ImageGenerateParamsResponseFormatURL,
	}))
	answer := must(http.Get(stored.Data[0].URL))
	defer answer.Body.Close()
	must(0, os.WriteFile("fetched.jpg", must(io.ReadAll(answer.Body)), 0o644))

	// So late that a heartbeat comes before the first event.
	late := client.Images.GenerateStreaming(ctx, openai.ImageGenerateParams{
		Model:         "nano-banana-2",
		Prompt:        "A lighthouse [sandbox delay=13s drafts=1]",
		Size:          openai.ImageGenerateParamsSize512x512,
		PartialImages: openai.Int(1),
	})
	var streamed []string
	for late.Next() {
		streamed = append(streamed, late.Current().Type)
	}
	must(0, late.Err())

	_, err := client.Images.Generate(ctx, kite, option.WithAPIKey("a-wrong-key"))
	var failure *openai.Error
	if !errors.As(err, &failure) {
		log.Fatalf("not an openai.Error: %v", err)
	}
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"size":     painted.Size,
		"tokens":   painted.Usage.TotalTokens,
		"streamed": streamed,
		"error":    map[string]any{"status": failure.StatusCode, "code": failure.Code},
	}))
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
