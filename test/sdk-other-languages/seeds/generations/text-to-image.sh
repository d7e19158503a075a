curl https://gateway.theturbo.ai/v1/images/generations \
	-H "Content-Type: application/json" \
	-H "Accept: application/json" \
	-H "Authorization: Bearer $YOUR_API_KEY" \
	-d '{
    "model": "gemini-2.5-flash-image",
    "prompt": "A cute baby sea otter",
    "aspect_ratio": "1:1"
}'
