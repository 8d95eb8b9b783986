import OpenAI from "openai";
const client = new OpenAI({ baseURL: "BASE_URL/openai/v1", apiKey: "API_TOKEN" });
const messages = [{ role: "user", content: "Hello" }];
const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
console.log(answer.choices[0].message.content);
