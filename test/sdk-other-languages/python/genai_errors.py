"""Google's genai SDK: which exceptions a program gets to catch."""

import json
import os

from google import genai
from google.genai import errors


def client_with(key):
    return genai.Client(api_key=key, http_options={"base_url": os.environ["PLANTAIN_URL"]})


client, stranger = client_with(os.environ["PLANTAIN_KEY"]), client_with("a-wrong-key")


def caught(call, **arguments):
    try:
        answer = call(**arguments)
        if hasattr(answer, "__next__"):
            list(answer)
    except errors.APIError as error:
        return {"class": type(error).__name__, "code": error.code, "status": error.status, "message": error.message}
    raise SystemExit(f"nothing was raised for {arguments}")


kite = {"model": "gemini-3.1-flash-image", "contents": "A kite"}
bad_ratio = {"image_config": {"aspect_ratio": "7:5"}}
print(
    json.dumps(
        {
            "bad ratio": caught(client.models.generate_content, **kite, config=bad_ratio),
            "bad ratio in a stream": caught(client.models.generate_content_stream, **kite, config=bad_ratio),
            "wrong key": caught(stranger.models.generate_content, **kite),
            "wrong key for a list": caught(stranger.models.list),
            "unknown model": caught(client.models.generate_content, **{**kite, "model": "gemini-0-image"}),
            "quota": caught(client.models.generate_content, **{**kite, "contents": "A kite [sandbox status=429 retry=3s]"}),
            "failed upstream": caught(client.models.generate_content, **{**kite, "contents": "A kite [sandbox status=500]"}),
        }
    )
)
