"""Google's genai SDK: a chat about a picture, with a model that may be anybody's."""

import os
import sys
from pathlib import Path

from google import genai
from google.genai import types

client = genai.Client(api_key=os.environ["PLANTAIN_KEY"], http_options={"base_url": os.environ["PLANTAIN_URL"]})
square = types.GenerateContentConfig(image_config=types.ImageConfig(aspect_ratio="1:1", image_size="1K"))
chat = client.chats.create(model=sys.argv[1], config=square)


def save(name, answer):
    [picture] = [part.inline_data for part in answer.candidates[0].content.parts if part.inline_data]
    Path(name).write_bytes(picture.data)


save("first", chat.send_message("A red kite"))
save("second", chat.send_message("Now a blue one"))
magenta = types.Part.from_bytes(data=Path("magenta.png").read_bytes(), mime_type="image/png")
save("third", chat.send_message(["Hang this beside it", magenta]))
print("{}")
