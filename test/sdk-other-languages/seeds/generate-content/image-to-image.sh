base64_image=$(base64 -i "Path/to/agi/image.png");
curl https://gateway.theturbo.ai/v1/v1beta/models/gemini-2.5-flash-image:generateContent \
	-H "Content-Type: application/json" \
	-H "Accept: application/json" \
	-H "Authorization: Bearer $YOUR_API_KEY" \
	-d "{
	\"contents\": [{
		\"role\": \"user\",
		\"parts\": [{
			\"text\": \"add a rainbow\"
		}, {
			\"inlineData\": {
				\"mimeType\": \"image/png\",
				\"data\": \"${base64_image}\"
			}
		}]
	}],
	\"generationConfig\": {
		\"imageConfig\": {
			\"aspectRatio\": \"4:3\",
			\"imageSize\": \"1K\"
		}
	}
}"
