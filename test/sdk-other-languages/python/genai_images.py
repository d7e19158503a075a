"""Google's genai SDK: makes a picture, edits, streams, counts tokens, chats, and lists the models."""

import asyncio
import json
import os
from pathlib import Path

from google import genai
from google.genai import types

client = genai.Client(api_key=os.environ["PLANTAIN_KEY"], http_options={"base_url": os.environ["PLANTAIN_URL"]})
model = "gemini-3.1-flash-image"
facts = {}


def small(ratio):
    return types.GenerateContentConfig(image_config=types.ImageConfig(aspect_ratio=ratio, image_size="512"))


def save(name, answer):
    [picture] = [part.inline_data for part in answer.candidates[0].content.parts if part.inline_data]
    Path(name).write_bytes(picture.data)


painted = client.models.generate_content(
    model=model, contents="A red kite over a green valley", config=small("16:9")
)
save("kite.jpg", painted)
facts["finish_reason"] = painted.candidates[0].finish_reason
facts["model_version"] = painted.model_version
facts["image_tokens"] = painted.usage_metadata.candidates_token_count

magenta = types.Part.from_bytes(data=Path("magenta.png").read_bytes(), mime_type="image/png")
green = types.Part.from_bytes(data=Path("green.jpg").read_bytes(), mime_type="image/jpeg")
save("framed.jpg", client.models.generate_content(model=model, contents=["Frame it", magenta], config=small("1:1")))
save("collage.jpg", client.models.generate_content(model=model, contents=["Hang them", magenta, green], config=small("3:2")))

thinking = types.GenerateContentConfig(
    response_modalities=["TEXT", "IMAGE"],
    image_config=types.ImageConfig(image_size="512", aspect_ratio="1:1"),
    thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH"),
    system_instruction="Paint at night.",
)
chunks = list(client.models.generate_content_stream(model=model, contents="A lighthouse", config=thinking))
parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
pictures = [part.inline_data.data for part in parts if part.inline_data and not part.thought]
Path("streamed.jpg").write_bytes(pictures[-1])
facts["streamed_text"] = "".join(part.text for part in parts if part.text and not part.thought)
facts["streamed_thought"] = any(part.thought for part in parts)
facts["stream_end"] = chunks[-1].candidates[0].finish_reason

# Two candidates are a stream of the gateway's own; so late that a heartbeat comes before the first event.
pair = types.GenerateContentConfig(candidate_count=2, image_config=types.ImageConfig(image_size="512", aspect_ratio="1:1"))
late = client.models.generate_content_stream(
    model=model, contents="A lighthouse [sandbox delay=13s drafts=1]", config=pair
)
parts = [part for chunk in late for candidate in chunk.candidates for part in candidate.content.parts]
facts["translated"] = ["draft" if part.thought else "picture" for part in parts if part.inline_data]

facts["text_tokens"] = client.models.count_tokens(model=model, contents="A red kite").total_tokens
facts["picture_tokens"] = client.models.count_tokens(model=model, contents=["A red kite", magenta]).total_tokens

# A chat sends the whole conversation again each time: its pictures, and their signatures unchanged.
chat = client.chats.create(model=model, config=small("1:1"))
chat.send_message("A red kite")
save("chat.jpg", chat.send_message(["Hang this beside it", magenta]))

on_v1beta = genai.Client(
    api_key=os.environ["PLANTAIN_KEY"],
    http_options={"base_url": os.environ["PLANTAIN_URL"], "api_version": "v1beta"},
)
save("v1beta.png", on_v1beta.models.generate_content(model="nano-banana", contents="A meadow"))


async def paint_at_once():
    calls = (client.aio.models.generate_content(model=model, contents=name, config=small("1:1")) for name in ["Dawn", "Dusk"])
    return await asyncio.gather(*calls)


dawn, dusk = asyncio.run(paint_at_once())
save("dawn.jpg", dawn)
save("dusk.jpg", dusk)

refused = client.models.generate_content(model=model, contents="A kite [sandbox refuse=IMAGE_SAFETY]")
facts["refusal"] = refused.candidates[0].finish_reason

facts["models"] = [found.name for found in client.models.list(config={"page_size": 5})]
facts["model"] = client.models.get(model=model).name
print(json.dumps(facts))
