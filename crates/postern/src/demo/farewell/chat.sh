curl -sN BASE_URL/openai/v1/chat/completions \
  -H "Authorization: Bearer API_TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
