curl -X POST https://gateway.theturbo.ai/v1/images/edits \
	-H "Authorization: Bearer $YOUR_API_KEY" \
	-F model="gemini-2.5-flash-image" \
	-F image="@input.png" \
	-F prompt="A cute baby sea otter wearing a beret" \
	-F other parameters
