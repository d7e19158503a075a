// Google's genai SDK: a chat about a picture, with a model that may be anybody's.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/genai"
)

var ctx = context.Background()

func main() {
	client := must(genai.NewClient(ctx, &genai.ClientConfig{
		APIKey:      os.Getenv("PLANTAIN_KEY"),
		Backend:     genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: os.Getenv("PLANTAIN_URL")},
	}))
	square := &genai.GenerateContentConfig{ImageConfig: &genai.ImageConfig{AspectRatio: "1:1", ImageSize: "1K"}}
	chat := must(client.Chats.Create(ctx, os.Args[1], square, nil))
	save("first", must(chat.SendMessage(ctx, genai.Part{Text: "A red kite"})))
	save("second", must(chat.SendMessage(ctx, genai.Part{Text: "Now a blue one"})))
	magenta := genai.NewPartFromBytes(must(os.ReadFile("magenta.png")), "image/png")
	save("third", must(chat.SendMessage(ctx, genai.Part{Text: "Hang this beside it"}, *magenta)))
	fmt.Println("{}")
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
