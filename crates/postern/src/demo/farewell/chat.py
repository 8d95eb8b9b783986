from openai import OpenAI
client = OpenAI(base_url="BASE_URL/openai/v1", api_key="API_TOKEN")
messages = [{"role": "user", "content": "Hello"}]
answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
print(answer.choices[0].message.content)
from anthropic import Anthropic
client = Anthropic(base_url="BASE_URL/anthropic", api_key="API_TOKEN")
answer = client.messages.create(model="claude-haiku-4-5", max_tokens=64, messages=messages)
print(answer.content[0].text)
