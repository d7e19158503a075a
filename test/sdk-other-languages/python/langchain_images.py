"""LangChain's wrapper of DALL-E: it reads an address from every answer, and asks for none."""

import json
import os
from urllib.request import urlopen

from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

base = {"base_url": f"{os.environ['PLANTAIN_URL']}/v1", "api_key": os.environ["PLANTAIN_KEY"]}
facts = {}


def save(name, address):
    with urlopen(address) as answer, open(name, "wb") as file:
        file.write(answer.read())
        facts[name] = answer.headers["content-type"]


# With nothing said: dall-e-2, which OpenAI has retired.
save("kite.jpg", DallEAPIWrapper(**base).run("A red kite"))

several = DallEAPIWrapper(model="dall-e-3", n=2, size="1792x1024", quality="hd", **base).run("A red kite")
for index, address in enumerate(several.split("\n")):
    save(f"wide-{index}.jpg", address)

print(json.dumps(facts))
