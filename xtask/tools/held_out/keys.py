"""Keys of providers by their published formats, and texts that only look as if they held one."""

import base64
import hashlib
import json
import zlib

from digits import UPPER, number, pick

LOWER = UPPER.lower()
WORD = UPPER + LOWER + "0123456789"
HEX = "0123456789abcdef"
URL = WORD + "-_"


def base62(value, length):
    signs, text = "0123456789" + UPPER + LOWER, ""
    while value:
        value, rest = divmod(value, 62)
        text = signs[rest] + text
    return text.rjust(length, "0")


def with_crc(r, prefix):
    """A body and its CRC-32 in base 62, as GitHub and npm write it."""
    body = pick(r, WORD, 30)
    return prefix + body + base62(zlib.crc32(body.encode()), 6)


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(r):
    head = url64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = url64(json.dumps({"sub": number(r, 8), "iat": 1700000000 + r.randrange(10**7)}).encode())
    return f"{head}.{body}.{url64(r.randbytes(32))}"


def private_key(r):
    body = base64.b64encode(r.randbytes(240)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"


# Provider, the name under which programs keep its key, the key.
KEYS = [
    ("aws", "AWS_ACCESS_KEY_ID", lambda r: "AKIA" + pick(r, UPPER + "234567", 16)),
    ("aws secret", "AWS_SECRET_ACCESS_KEY", lambda r: pick(r, WORD + "+/", 40)),
    ("github", "GITHUB_TOKEN", lambda r: with_crc(r, r.choice(["ghp_", "gho_", "ghs_"]))),
    ("github fine", "GH_PAT", lambda r: f"github_pat_{pick(r, WORD, 22)}_{pick(r, WORD, 59)}"),
    ("gitlab", "GITLAB_TOKEN", lambda r: "glpat-" + pick(r, URL, 20)),
    (
        "slack",
        "SLACK_BOT_TOKEN",
        lambda r: f"xoxb-{number(r, 12)}-{number(r, 12)}-{pick(r, WORD, 24)}",
    ),
    (
        "slack hook",
        "SLACK_WEBHOOK",
        lambda r: "https://hooks.slack.com/services/"
        + f"T{pick(r, UPPER, 8)}/B{pick(r, UPPER, 8)}/{pick(r, WORD, 24)}",
    ),
    ("stripe", "STRIPE_SECRET_KEY", lambda r: "sk_live_" + pick(r, WORD, 24)),
    ("openai", "OPENAI_API_KEY", lambda r: f"sk-proj-{pick(r, URL, 74)}T3BlbkFJ{pick(r, URL, 74)}"),
    ("openai old", "OPENAI_KEY", lambda r: f"sk-{pick(r, WORD, 20)}T3BlbkFJ{pick(r, WORD, 20)}"),
    ("anthropic", "ANTHROPIC_API_KEY", lambda r: f"sk-ant-api03-{pick(r, URL, 93)}AA"),
    ("google", "GOOGLE_API_KEY", lambda r: "AIza" + pick(r, URL, 35)),
    ("sendgrid", "SENDGRID_API_KEY", lambda r: f"SG.{pick(r, URL, 22)}.{pick(r, URL, 43)}"),
    ("twilio", "TWILIO_API_KEY", lambda r: "SK" + pick(r, HEX, 32)),
    ("npm", "NPM_TOKEN", lambda r: with_crc(r, "npm_")),
    ("pypi", "PYPI_TOKEN", lambda r: "pypi-AgEIcHlwaS5vcmc" + pick(r, URL, 150)),
    ("telegram", "BOT_TOKEN", lambda r: f"{number(r, 10, '123456789')}:AA{pick(r, URL, 33)}"),
    (
        "discord",
        "DISCORD_TOKEN",
        lambda r: f"M{pick(r, WORD, 23)}.{pick(r, WORD, 6)}.{pick(r, URL, 27)}",
    ),
    ("mailgun", "MAILGUN_API_KEY", lambda r: "key-" + pick(r, HEX, 32)),
    ("mailchimp", "MAILCHIMP_API_KEY", lambda r: f"{pick(r, HEX, 32)}-us{r.randrange(1, 21)}"),
    ("square", "SQUARE_SECRET", lambda r: "sq0csp-" + pick(r, URL, 43)),
    (
        "azure storage",
        "AZURE_STORAGE_KEY",
        lambda r: "AccountKey=" + base64.b64encode(r.randbytes(64)).decode(),
    ),
    ("digitalocean", "DO_TOKEN", lambda r: "dop_v1_" + pick(r, HEX, 64)),
    ("hugging face", "HF_TOKEN", lambda r: "hf_" + pick(r, UPPER + LOWER, 34)),
    ("databricks", "DATABRICKS_TOKEN", lambda r: "dapi" + pick(r, HEX, 32)),
    ("shopify", "SHOPIFY_TOKEN", lambda r: "shpat_" + pick(r, HEX, 32)),
    ("linear", "LINEAR_KEY", lambda r: "lin_api_" + pick(r, WORD, 40)),
    ("notion", "NOTION_TOKEN", lambda r: "ntn_" + number(r, 11) + pick(r, WORD, 35)),
    ("postman", "POSTMAN_KEY", lambda r: f"PMAK-{pick(r, HEX, 24)}-{pick(r, HEX, 34)}"),
    ("groq", "GROQ_API_KEY", lambda r: "gsk_" + pick(r, WORD, 52)),
    ("artifactory", "ARTIFACTORY_KEY", lambda r: "AKCp" + pick(r, WORD, 69)),
    ("jwt", "SESSION_TOKEN", jwt),
    ("private key", "SIGNING_KEY", private_key),
    (
        "basic auth",
        "REGISTRY_URL",
        lambda r: f"https://deploy:{pick(r, WORD, 16)}@registry.berg.dk/v2",
    ),
    (
        "database",
        "DATABASE_URL",
        lambda r: f"postgres://app:{pick(r, WORD, 14)}@db.internal:5432/app",
    ),
    ("generic hex", "API_SECRET", lambda r: pick(r, HEX, 40)),
    ("generic", "CLIENT_SECRET", lambda r: pick(r, WORD, 32)),
    (
        "password",
        "DB_PASSWORD",
        lambda r: r.choice(["Vinter", "Blue", "Kontor"])
        + number(r, 4)
        + r.choice("!?#")
        + pick(r, LOWER, 4),
    ),
]

FRAMES = {
    "environment": "export {name}={value}\nexport STAGE=test\n",
    "code": 'client = connect("berg", {small}="{value}")\n',
    "settings": "service: berg\n{small}: {value}\nport: 8080\n",
    "json": '{{"service": "berg", "{small}": "{value}"}}',
    "prose, named": "Hi, the {words} for the test account is {value} and it runs out on Friday.",
    "prose, unnamed": "Just use {value} until mine is there.",
    "bare": "{value}",
}

NONE = [
    "commit {sha1}\nAuthor: Ann Berg",
    "sha256:{sha256}  app.tar.gz",
    '"integrity": "sha512-{b64}"',
    "export API_KEY=${{API_KEY}}",
    'password = os.environ["DB_PASSWORD"]',
    "password: <your password here>",
    "token: ${{{{ secrets.TOKEN }}}}",
    'api_key = "YOUR_API_KEY"',
    "Request {uuid} failed with 502",
    "background: url(data:image/png;base64,{b64})",
    'etag: "{md5}"',
    "The password must have at least twelve signs, one of them a digit.",
    "const SECRET_NAME = 'prod/app/database'",
    "secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>",
    "postgres://app:password@localhost:5432/test",
    "key = sorted(rows, key=lambda row: row.name)",
    "image: registry.berg.dk/app@sha256:{sha256}",
    "ssh-rsa {b64} ann@berg.dk",
    "X-Request-Id: {md5}",
    "token_count: 1234, max_tokens: 4096",
    "-----BEGIN PUBLIC KEY-----\n{b64}\n-----END PUBLIC KEY-----",
    "https://berg.dk/reset?next=/login&lang=en",
]


def with_keys(r, rounds):
    """`(provider, frame, text, start, end)` of every text with a key."""
    for _ in range(rounds):
        for provider, name, make in KEYS:
            for what, frame in FRAMES.items():
                words = {"small": name.lower(), "words": name.lower().replace("_", " ")}
                text = frame.format(name=name, value="\0", **words)
                value = make(r)
                if what == "json":
                    value = json.dumps(value)[1:-1]
                start = text.index("\0")
                yield provider, what, text.replace("\0", value), start, start + len(value)


def without(r, rounds):
    """Texts without a secret."""
    for _ in range(rounds):
        for frame in NONE:
            seed = r.randbytes(16)
            yield frame.format(
                md5=hashlib.md5(seed).hexdigest(),
                sha1=hashlib.sha1(seed).hexdigest(),
                sha256=hashlib.sha256(seed).hexdigest(),
                b64=base64.b64encode(hashlib.sha512(seed).digest()).decode(),
                uuid="-".join(pick(r, HEX, n) for n in (8, 4, 4, 4, 12)),
            )
