"""OpenAI's SDK: makes pictures, edits one, edits two together, streams, takes addresses, and lists the models."""

import asyncio
import base64
import json
import os
from pathlib import Path
from urllib.request import urlopen

from openai import APIError, AsyncOpenAI, AzureOpenAI, OpenAI

url, key = os.environ["PLANTAIN_URL"], os.environ["PLANTAIN_KEY"]
client = OpenAI(base_url=f"{url}/v1", api_key=key)
facts = {}


def save(name, image):
    Path(name).write_bytes(base64.b64decode(image.b64_json, validate=True))


painted = client.images.generate(
    model="nano-banana-2",
    prompt="A red kite over a green valley",
    n=2,
    response_format="b64_json",
    extra_body={"aspect_ratio": "16:9", "image_size": "512"},
)
save("kite-1.jpg", painted.data[0])
save("kite-2.jpg", painted.data[1])
facts["size"] = painted.size
facts["format"] = painted.output_format
facts["tokens"] = painted.usage.total_tokens

# An open file, without fields that only this gateway knows.
with open("magenta.png", "rb") as picture:
    edited = client.images.edit(model="nano-banana-2", image=picture, prompt="Frame it", size="512x512")
save("framed.jpg", edited.data[0])

# Bare bytes have no name and no type; a tuple has both.
pictures = [Path("magenta.png").read_bytes(), ("green.jpg", Path("green.jpg").read_bytes(), "image/jpeg")]
collage = client.images.edit(
    model="nano-banana-2",
    image=pictures,
    prompt="Hang them side by side",
    extra_body={"aspect_ratio": "3:2", "image_size": "512"},
)
save("collage.jpg", collage.data[0])

# An address can be fetched by anybody who has it, without a key.
with open("magenta.png", "rb") as picture:
    stored = client.images.edit(
        model="nano-banana-2", image=picture, prompt="Frame it", size="512x512", response_format="url"
    )
assert stored.data[0].b64_json is None
with urlopen(stored.data[0].url) as answer:
    Path("fetched.jpg").write_bytes(answer.read())

# So late that a heartbeat comes before the first event.
stream = client.images.generate(
    model="nano-banana-2",
    prompt="A lighthouse [sandbox delay=13s drafts=2]",
    size="512x512",
    stream=True,
    partial_images=2,
)
events = list(stream)
for index, event in enumerate(events):
    save(f"stream-{index}.jpg", event)
facts["streamed"] = [event.type for event in events]
facts["streamed_tokens"] = events[-1].usage.total_tokens
broken = client.images.generate(
    model="nano-banana-2",
    prompt="A lighthouse [sandbox drafts=2 cut]",
    size="512x512",
    stream=True,
    partial_images=1,
)
try:
    list(broken)
except APIError as error:
    facts["stream_error"] = error.message

raw = client.images.with_raw_response.generate(model="nano-banana", prompt="A meadow", quality="high")
save("meadow.png", raw.parse().data[0])
facts["request_id"] = raw.request_id
facts["ignored"] = raw.headers["x-plantain-ignored-params"]

azure = AzureOpenAI(azure_endpoint=url, api_key=key, api_version="2025-04-01-preview", azure_deployment="nano-banana-2")
save("glacier.jpg", azure.images.generate(prompt="A glacier", size="512x512").data[0])


async def paint_at_once():
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as impatient:
        return await asyncio.gather(
            *(impatient.images.generate(model="nano-banana-2", prompt=prompt, size="512x512") for prompt in ["Dawn", "Dusk"])
        )


dawn, dusk = asyncio.run(paint_at_once())
save("dawn.jpg", dawn.data[0])
save("dusk.jpg", dusk.data[0])

facts["models"] = [model.id for model in client.models.list()]
facts["model"] = client.models.retrieve("google/nano-banana-2").id
print(json.dumps(facts))
