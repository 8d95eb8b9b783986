"""The official `anthropic` package: messages, streams, tools, counting."""

from anthropic import Anthropic
from scenarios import arguments, run

base, key, only = arguments()
client = Anthropic(base_url=base, api_key=key, max_retries=0, timeout=20)
patient = client.with_options(max_retries=2)
hasty = client.with_options(timeout=0.4)

MODEL = "claude-sonnet-4-5"
ASK = [{"role": "user", "content": "What do you see tonight?"}]
TOOL = {
    "name": "light_range",
    "description": "How far the light of a tower reaches, in nautical miles.",
    "input_schema": {"type": "object", "properties": {"tower": {"type": "string"}}},
}


def ask(model=MODEL, using=client, **more):
    return using.messages.create(model=model, max_tokens=256, messages=ASK, **more)


def plain():
    answer = ask()
    return {
        "text": answer.content[0].text,
        "stop": answer.stop_reason,
        "usage": [answer.usage.input_tokens, answer.usage.output_tokens],
    }


def headers():
    answer = client.messages.with_raw_response.create(
        model=MODEL, max_tokens=256, messages=ASK
    )
    return {name.lower(): value for name, value in answer.headers.items()}


def stream():
    """The SDK's own accumulator, which checks the order of the events."""
    with client.messages.stream(model=MODEL, max_tokens=256, messages=ASK) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    return {
        "text": text,
        "stop": final.stop_reason,
        "usage": [final.usage.input_tokens, final.usage.output_tokens],
    }


def stream_events():
    return [event.type for event in ask(stream=True)]


def stream_left_early():
    with ask(stream=True) as events:
        return next(iter(events)).type


def stream_with_thinking():
    with client.messages.stream(model="claude-opus-4-5", max_tokens=256, messages=ASK) as events:
        final = events.get_final_message()
    thinking, text = final.content
    return {
        "thinking": thinking.thinking,
        "signature": thinking.signature,
        "text": text.text,
        "output_tokens": final.usage.output_tokens,
    }


def stream_that_breaks():
    return [event.type for event in ask("fail-stream", stream=True)]


def tool():
    answer = ask(tools=[TOOL])
    return {"stop": answer.stop_reason, "input": answer.content[1].input}


def tool_stream():
    with client.messages.stream(
        model=MODEL, max_tokens=256, messages=ASK, tools=[TOOL]
    ) as events:
        final = events.get_final_message()
    return {"stop": final.stop_reason, "input": final.content[0].input}


def count_tokens():
    return client.messages.count_tokens(model=MODEL, messages=ASK).input_tokens


def fail_400():
    ask("fail-400")


def fail_401():
    ask("fail-401")


def fail_403():
    ask("fail-403")


def fail_404():
    ask("fail-404")


def fail_429():
    ask("fail-429")


def fail_529():
    ask("fail-529")


def retry():
    return ask("busy-once", using=patient).content[0].text


def three_in_a_row():
    return [ask(using=patient).stop_reason for _ in range(3)]


def stream_to_the_end():
    """Reads until the stream ends or breaks."""
    return sum(1 for _ in ask(stream=True))


def timeout():
    ask("slow", using=hasty)


run(
    [
        plain,
        headers,
        stream,
        stream_events,
        stream_left_early,
        stream_with_thinking,
        stream_that_breaks,
        tool,
        tool_stream,
        count_tokens,
        fail_400,
        fail_401,
        fail_403,
        fail_404,
        fail_429,
        fail_529,
        retry,
        timeout,
    ],
    only,
    when_named=[three_in_a_row, stream_to_the_end],
)
