#!/usr/bin/env python3

from google import genai

def main():
    api_key = "sk-123456789012345678901234567890123456789012345678"
    input_path = "example.png"
    output_path = "example2.png"

    with open(input_path, "rb") as f:
        input_data = f.read()

    client = genai.Client(
        api_key=api_key,
        http_options={
            "base_url": "https://gateway.theturbo.ai"
        }
    )

    response = client.models.generate_content(
        model="gemini-2.5-flash-image",
        contents=[
            "add a rainbow",
            genai.types.Part(
                inline_data=genai.types.Blob(
                    mime_type="image/png",
                    data=input_data
                )
            )
        ],
        config=genai.types.GenerateContentConfig(
            image_config=genai.types.ImageConfig(
                aspect_ratio="4:3",
                image_size="1K"
            )
        )
    )

    image_data = None
    for candidate in response.candidates:
        for part in candidate.content.parts:
            if part.inline_data and part.inline_data.mime_type == "image/png":
                image_data = part.inline_data.data
                break
        if image_data:
            break

    if not image_data:
        print("error: no image data found")
        return

    with open(output_path, "wb") as f:
        f.write(image_data)

    print(f"success to write to file {output_path}")

if __name__ == "__main__":
    main()
