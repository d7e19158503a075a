curl https://gateway.theturbo.ai/v1/v1beta/models/gemini-2.5-flash-image:generateContent \
	-H "Content-Type: application/json" \
	-H "Accept: application/json" \
	-H "Authorization: Bearer $YOUR_API_KEY" \
	-d "{
	\"contents\": [{
		\"role\": \"user\",
		\"parts\": [{
			\"text\": \"A cute baby sea otter\"
		}]
	}],
	\"generationConfig\": {
		\"imageConfig\": {
			\"aspectRatio\": \"4:3\",
			\"imageSize\": \"1K\"
		}
	}
}"
