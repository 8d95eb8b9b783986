//! The way an SDK goes: through the gateway to an upstream that replays, or straight to it.

use postern_testkit::ReplayUpstream;

use crate::clients::{Language, Seen, drive};
use crate::gateway::{Gateway, Token};

/// The credential that the gateway has for every upstream; no client may ever see it.
pub(crate) const CREDENTIAL: &str = "sk-provider-credential-0000000000000000";

/// A gateway in front of an upstream that speaks every dialect.
pub(crate) struct Door {
    pub(crate) upstream: ReplayUpstream,
    pub(crate) gateway: Gateway,
}

impl Door {
    /// Opens it: one upstream a kind of provider, each with the provider's usual name.
    pub(crate) fn open() -> Self {
        let upstream = ReplayUpstream::own().expect("the upstream starts");
        let gateway = Gateway::start();
        for (name, kind) in [
            ("openai", "openai"),
            ("azure", "azure-openai"),
            ("anthropic", "anthropic"),
            ("gemini", "gemini"),
        ] {
            gateway.upstream(name, kind, &upstream.url(), CREDENTIAL);
        }
        Self { upstream, gateway }
    }

    /// A token for any model of one upstream.
    pub(crate) fn token(&self, upstream: &str) -> Token {
        self.gateway.token(&[&format!("{upstream}:invoke:*")])
    }

    /// Runs a driver through the gateway.
    pub(crate) fn drive(
        &self,
        language: Language,
        script: &str,
        upstream: &str,
        token: &Token,
        only: &[&str],
    ) -> Option<Seen> {
        drive(
            language,
            script,
            &self.gateway.url(upstream),
            &token.secret,
            only,
        )
    }

    /// Runs a driver through the gateway and straight to an upstream like the one behind it, and
    /// asserts that both saw the same: the SDK cannot tell that there is a gateway.
    pub(crate) fn drive_invisibly(
        &self,
        language: Language,
        script: &str,
        upstream: &str,
    ) -> Option<Seen> {
        let straight = ReplayUpstream::own().expect("the upstream starts");
        let token = self.token(upstream);
        let (through, straight) = std::thread::scope(|scope| {
            let url = straight.url();
            let control = scope.spawn(move || drive(language, script, &url, "sk-test", &[]));
            let through = self.drive(language, script, upstream, &token, &[]);
            (through, control.join().expect("the control run ends"))
        });
        let (through, straight) = (through?, straight?);
        assert_eq!(
            through.comparable(),
            straight.comparable(),
            "{script} noticed the gateway"
        );
        self.assert_clean(&token);
        Some(through)
    }

    /// What reached the upstream: the credential in its place, and nothing of the token.
    fn assert_clean(&self, token: &Token) {
        assert_eq!(self.upstream.malformed(), Vec::<String>::new());
        for request in self.upstream.requests() {
            assert!(
                !request.contains(&token.secret),
                "the token went on: {request:?}"
            );
            assert!(request.contains(CREDENTIAL), "no credential: {request:?}");
        }
    }
}
