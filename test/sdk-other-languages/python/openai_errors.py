"""OpenAI's SDK: which exceptions a program gets to catch."""

import json
import os

import openai

url, key = os.environ["PLANTAIN_URL"], os.environ["PLANTAIN_KEY"]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=key)
stranger = openai.OpenAI(base_url=f"{url}/v1", api_key="a-wrong-key")


def caught(call, **arguments):
    try:
        call(**arguments)
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "has_id": bool(error.request_id),
        }
    raise SystemExit(f"nothing was raised for {arguments}")


kite = {"model": "nano-banana-2", "prompt": "A kite", "size": "512x512"}
print(
    json.dumps(
        {
            "bad ratio": caught(client.images.generate, **kite, extra_body={"aspect_ratio": "7:5"}),
            "no picture": caught(client.images.edit, **kite, image=b"certainly not a picture"),
            "refusal": caught(client.images.generate, **{**kite, "prompt": "A kite [sandbox refuse=IMAGE_SAFETY]"}),
            "wrong key": caught(stranger.images.generate, **kite),
            "wrong key for a list": caught(stranger.models.list),
            "unknown model": caught(client.images.generate, **{**kite, "model": "gemini-0-image"}),
            "used-up quota": caught(client.images.generate, **{**kite, "prompt": "A kite [sandbox status=429 daily]"}),
            "failed upstream": caught(
                client.with_options(max_retries=0).images.generate, **{**kite, "prompt": "A kite [sandbox status=500]"}
            ),
        }
    )
)
