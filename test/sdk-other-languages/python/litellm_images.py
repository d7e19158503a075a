"""LiteLLM's SDK: OpenAI's form and Google's, by names that begin with gemini- and by others, several at once, edits, and errors."""

import base64
import json
import os
from pathlib import Path

# Its list of prices is then its own, and not fetched.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True
url, key = os.environ["PLANTAIN_URL"], os.environ["PLANTAIN_KEY"]
in_openai_form = {"api_base": f"{url}/v1", "api_key": key}
in_google_form = {"api_base": f"{url}/v1beta", "api_key": key}
facts = {}


def save(name, answer, index=0):
    Path(name).write_bytes(base64.b64decode(answer.data[index].b64_json, validate=True))


def caught(call, **arguments):
    try:
        call(**arguments)
    except Exception as error:
        return {"class": type(error).__name__, "status": error.status_code, "message": str(error)}
    raise SystemExit(f"nothing was raised for {arguments}")


small = {"model": "openai/nano-banana-2", "size": "512x512", **in_openai_form}
painted = litellm.image_generation(prompt="A red kite", n=2, **small)
save("kite-1.jpg", painted)
save("kite-2.jpg", painted, 1)
facts["tokens"] = painted.usage.total_tokens

with open("magenta.png", "rb") as magenta, open("green.jpg", "rb") as green:
    save("framed.jpg", litellm.image_edit(prompt="Frame it", image=magenta, **small))
    magenta.seek(0)
    save("collage.jpg", litellm.image_edit(prompt="Hang them side by side", image=[magenta, green], **small))

google = litellm.image_generation(model="gemini/gemini-3.1-flash-image", prompt="A red kite", **in_google_form)
save("google.jpg", google)
facts["google_tokens"] = google.usage.total_tokens

# Names without "gemini" in them go by Imagen's form, with n as its sampleCount.
imagen = litellm.image_generation(
    model="gemini/nano-banana-2", prompt="A red kite", n=2, size="1792x1024", **in_google_form
)
save("imagen-1.jpg", imagen)
save("imagen-2.jpg", imagen, 1)

with open("magenta.png", "rb") as magenta:
    edited = litellm.image_edit(
        model="gemini/gemini-3.1-flash-image", prompt="Frame it", image=magenta, size="1792x1024", **in_google_form
    )
save("google-framed.jpg", edited)

kite = {"prompt": "A kite"}
facts["errors"] = {
    "bad ratio": caught(litellm.image_generation, **small, **kite, aspect_ratio="7:5"),
    "refusal": caught(litellm.image_generation, **small, **{**kite, "prompt": "A kite [sandbox refuse=IMAGE_SAFETY]"}),
    "wrong key": caught(litellm.image_generation, **{**small, "api_key": "a-wrong-key"}, **kite),
    "quota": caught(litellm.image_generation, **small, **{**kite, "prompt": "A kite [sandbox status=429 daily]"}),
    "quota, Google’s form": caught(
        litellm.image_generation,
        model="gemini/gemini-3.1-flash-image",
        prompt="A kite [sandbox status=429 retry=3s]",
        **in_google_form,
    ),
}
print(json.dumps(facts))
