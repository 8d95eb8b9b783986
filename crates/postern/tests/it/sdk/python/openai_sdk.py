"""The official `openai` package: chat, responses, embeddings, models, moderations."""

from openai import OpenAI
from scenarios import arguments, run

base, key, only = arguments()
client = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0, timeout=20)
patient = client.with_options(max_retries=2)
hasty = client.with_options(timeout=0.4)

MODEL = "gpt-4o-mini"
ASK = [
    {"role": "system", "content": "You keep a lighthouse and answer in one sentence."},
    {"role": "user", "content": "What do you see tonight?"},
]
PARAMETERS = {
    "type": "object",
    "properties": {"tower": {"type": "string"}},
    "required": ["tower"],
    "additionalProperties": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "light_range", "parameters": PARAMETERS}}
TOOL = {"type": "function", "name": "light_range", "parameters": PARAMETERS, "strict": True}


def chat(model=MODEL, using=client, **more):
    return using.chat.completions.create(model=model, messages=ASK, **more)


def plain():
    answer = chat()
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "model": answer.model,
        "usage": answer.usage.total_tokens,
    }


def headers():
    answer = client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK)
    return {name.lower(): value for name, value in answer.headers.items()}


def collect(stream):
    """What an application puts together from a stream, and what else came with it."""
    text, finish, usage, tool, chunks = "", None, None, "", 0
    empty = 0
    nulls = False
    for chunk in stream:
        chunks += 1
        usage = chunk.usage or usage
        nulls = nulls or "usage" in chunk.model_fields_set
        empty += not chunk.choices
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                tool += (call.function.name or "") + (call.function.arguments or "")
    return {
        "text": text,
        "tool": tool,
        "finish": finish,
        "chunks": chunks,
        "chunks_without_choices": empty,
        "usage_fields": nulls,
        "usage": usage and usage.total_tokens,
    }


def stream():
    return collect(chat(stream=True))


def stream_with_usage():
    return collect(chat(stream=True, stream_options={"include_usage": True}))


def stream_two_choices():
    return collect(chat(model="gpt-4.1-mini", stream=True, n=2))


def stream_left_early():
    with chat(stream=True) as events:
        return next(iter(events)).id


def tool():
    call = chat(tools=[CHAT_TOOL]).choices[0].message.tool_calls[0]
    return {"name": call.function.name, "arguments": call.function.arguments}


def tool_stream():
    return collect(chat(tools=[CHAT_TOOL], stream=True))


def fail_400():
    chat("fail-400")


def fail_401():
    chat("fail-401")


def fail_403():
    chat("fail-403")


def fail_404():
    chat("fail-404")


def fail_429():
    chat("fail-429")


def fail_500():
    chat("fail-500")


def retry():
    return chat("busy-once", using=patient).choices[0].message.content


def three_in_a_row():
    return [chat(using=patient).choices[0].finish_reason for _ in range(3)]


def stream_to_the_end():
    """Reads until the stream ends or breaks."""
    return sum(1 for _ in chat(stream=True))


def responses_stream_to_the_end():
    return sum(1 for _ in ask_response(stream=True))


def timeout():
    chat("slow", using=hasty)


def ask_response(**more):
    return client.responses.create(model="gpt-4.1-mini", input="How was the day at sea?", **more)


def responses():
    answer = ask_response()
    return {"text": answer.output_text, "usage": answer.usage.total_tokens, "id": answer.id}


def responses_stream():
    kinds, text, usage = [], "", None
    for event in ask_response(stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            usage = event.response.usage.total_tokens
    return {"kinds": kinds, "text": text, "usage": usage}


def responses_tool():
    item = ask_response(tools=[TOOL]).output[0]
    return {"name": item.name, "arguments": item.arguments}


def responses_tool_stream():
    done = [e for e in ask_response(tools=[TOOL], stream=True) if e.type.endswith("arguments.done")]
    return {"arguments": done[0].arguments}


def embeddings():
    """The SDK asks for base64 by itself and decodes it."""
    answer = client.embeddings.create(model="text-embedding-3-small", input="fog")
    return {"size": len(answer.data[0].embedding), "usage": answer.usage.total_tokens}


def embeddings_as_floats():
    answer = client.embeddings.create(
        model="text-embedding-3-small", input=["fog", "lamp"], encoding_format="float"
    )
    return {"count": len(answer.data), "size": len(answer.data[0].embedding)}


def models():
    return sorted(model.id for model in client.models.list())


def moderations():
    answer = client.moderations.create(
        model="omni-moderation-latest", input="The keeper polishes the lamp."
    )
    return {"flagged": answer.results[0].flagged}


run(
    [
        plain,
        headers,
        stream,
        stream_with_usage,
        stream_two_choices,
        stream_left_early,
        tool,
        tool_stream,
        fail_400,
        fail_401,
        fail_403,
        fail_404,
        fail_429,
        fail_500,
        retry,
        timeout,
        responses,
        responses_stream,
        responses_tool,
        responses_tool_stream,
        embeddings,
        embeddings_as_floats,
        models,
        moderations,
    ],
    only,
    when_named=[three_in_a_row, stream_to_the_end, responses_stream_to_the_end],
)
