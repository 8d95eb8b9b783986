"""The official `openai` package as Azure's client: the model is the deployment in the path."""

from openai import AzureOpenAI
from scenarios import arguments, run

base, key, only = arguments()
client = AzureOpenAI(
    azure_endpoint=base, api_key=key, api_version="2024-10-21", max_retries=0, timeout=20
)
ASK = [{"role": "user", "content": "What do you see tonight?"}]


def chat(deployment="keeper", **more):
    return client.chat.completions.create(model=deployment, messages=ASK, **more)


def plain():
    answer = chat()
    return {"text": answer.choices[0].message.content, "usage": answer.usage.total_tokens}


def collect(stream):
    text, usage, empty = "", None, 0
    nulls = False
    for chunk in stream:
        usage = chunk.usage or usage
        nulls = nulls or "usage" in chunk.model_fields_set
        empty += not chunk.choices
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return {
        "text": text,
        "usage": usage and usage.total_tokens,
        "usage_fields": nulls,
        "chunks_without_choices": empty,
    }


def stream():
    return collect(chat(stream=True))


def stream_with_usage():
    return collect(chat(stream=True, stream_options={"include_usage": True}))


def fail_401():
    chat("fail-401")


def fail_404():
    chat("fail-404")


def embeddings():
    answer = client.embeddings.create(model="embedder", input="fog")
    return {"size": len(answer.data[0].embedding)}


run([plain, stream, stream_with_usage, fail_401, fail_404, embeddings], only)
