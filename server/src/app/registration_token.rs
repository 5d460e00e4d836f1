//! Registration tokens: what a buyer's browser brings to the seller's page, and ResolveCustomer reads.
//!
//! A token holds its agreement and its end, with a check over both and the sandbox; nothing is stored. It can
//! be resolved as often as wanted until it ends, with the same answer each time.

use souk_core::ids::{AgreementId, SandboxName, content_hash, letters};
use souk_core::rules::Rules;
use souk_core::time::Timestamp;

const CHECK_LETTERS: usize = 20;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationToken {
    /// The agreement.
    pub agreement: AgreementId,
    /// When it ends.
    pub expires: Timestamp,
}

impl RegistrationToken {
    /// A token of an agreement, made at `now`.
    pub fn new(agreement: AgreementId, rules: &Rules, now: Timestamp) -> RegistrationToken {
        RegistrationToken { agreement, expires: now.plus_micros(rules.registration_token_micros) }
    }

    /// As the buyer's browser carries it.
    pub fn print(&self, sandbox: &SandboxName) -> String {
        let expires = self.expires.micros().to_string();
        format!("{}.{expires}.{}", self.agreement, check(sandbox, self.agreement.as_str(), &expires))
    }

    /// Reads a token of this sandbox.
    pub fn read(sandbox: &SandboxName, text: &str) -> Option<RegistrationToken> {
        let mut parts = text.split('.');
        let (agreement, expires, given) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && check(sandbox, agreement, expires) == given;
        let expires = Timestamp::from_micros(expires.parse().ok()?)?;
        whole.then(|| RegistrationToken { agreement: AgreementId::new(agreement), expires })
    }
}

fn check(sandbox: &SandboxName, agreement: &str, expires: &str) -> String {
    letters(content_hash("registration token", &[sandbox.as_str(), agreement, expires]), CHECK_LETTERS)
}

#[cfg(test)]
mod tests {
    use souk_core::rules::Profile;

    use super::*;

    #[test]
    fn a_token_is_read_in_its_own_sandbox_alone() {
        let [mine, other] = ["mine", "other"].map(SandboxName::new);
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let token = RegistrationToken::new(AgreementId::new("agmt-1"), &Rules::of(Profile::Source), now);
        let text = token.print(&mine);
        assert_eq!(RegistrationToken::read(&mine, &text), Some(token));
        assert_eq!(RegistrationToken::read(&other, &text), None);
        for wrong in ["", ".", "..", "agmt-1.1.x", &text[1..], &format!("{text}.")] {
            assert_eq!(RegistrationToken::read(&mine, wrong), None, "{wrong}");
        }
    }
}
