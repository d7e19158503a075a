package main

import (
	"context"
	"fmt"
	"os"

	"google.golang.org/genai"
)

func main() {

	apiKey := "sk-123456789012345678901234567890123456789012345678"
	inputPath := "example.png"
	outputPath := "example2.png"

	inputData, err := os.ReadFile(inputPath)
	if err != nil {
		fmt.Println("error:", err)
		return
	}

	client, err := genai.NewClient(
		context.Background(),
		&genai.ClientConfig{
			APIKey:  apiKey,
			Backend: genai.BackendGeminiAPI,
			HTTPOptions: genai.HTTPOptions{
				BaseURL: "https://gateway.theturbo.ai",
			},
		})
	if err != nil {
		fmt.Println("error:", err)
		return
	}

	resp, err := client.Models.GenerateContent(
		context.Background(),
		"gemini-2.5-flash-image",
		[]*genai.Content{
			{
				Role: "user",
				Parts: []*genai.Part{
					{Text: "add a rainbow"},
					{
						InlineData: &genai.Blob{
							MIMEType: "image/png",
							Data:     inputData,
						},
					},
				},
			},
		},
		&genai.GenerateContentConfig{
			ImageConfig: &genai.ImageConfig{
				AspectRatio: "4:3",
				ImageSize:   "1K",
			},
		},
	)
	if err != nil {
		fmt.Println("error:", err)
		return
	}

	var imageData []byte
	for _, candidate := range resp.Candidates {
		for _, part := range candidate.Content.Parts {
			if part.InlineData != nil && part.InlineData.MIMEType == "image/png" {
				imageData = part.InlineData.Data
				break
			}
		}
		if imageData != nil {
			break
		}
	}

	if imageData == nil {
		fmt.Println("error: no image data found")
		return
	}

	if err := os.WriteFile(outputPath, imageData, 0644); err != nil {
		fmt.Println("error:", err)
		return
	}

	fmt.Println("success to write to file", outputPath)
}
