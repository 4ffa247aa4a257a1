//! Tokens that tell by their form what they are.

use super::near::NEARBY;
use crate::decode;
use memchr::memmem;

/// How many characters of a token follow its beginning at least, the beginnings, and whose they are.
///
/// They are published by their makers so that leaked ones can be found.
const PREFIXES: &[(usize, &[&str])] = &[
    // GitHub, GitLab
    (20, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
    (15, &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "gloas-"]),
    // Slack
    (10, &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"]),
    // payment
    (10, &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"]),
    (20, &["sq0atp-", "sq0csp-"]),
    // clouds
    (16, &["AKIA", "ASIA", "LTAI"]),
    (30, &["AIza", "dop_v1_", "doo_v1_", "dor_v1_", "pul-"]),
    (15, &["ya29.", "GOCSPX-", "tskey-", "dckr_pat_"]),
    (20, &["hvs.", "hvb.", "nvapi-"]),
    // registries and tools
    (20, &["npm_", "PMAK-", "glsa_", "glc_", "ATATT3", "ATBB"]),
    (20, &["lin_api_", "ntn_", "figd_", "sntrys_", "AGE-SECRET-KEY-1"]),
    (30, &["pypi-", "rubygems_"]),
    (32, &["cio"]),
    (40, &["sentry_"]),
    // mail and shops
    (40, &["SG."]),
    (20, &["xkeysib-", "shpat_", "shpss_", "shpca_", "shppa_", "mlsn."]),
    (32, &["key-"]),
    (24, &["re_"]),
    // models
    (20, &["sk-ant-", "sk-proj-", "sk-or-", "hf_", "gsk_", "r8_", "pplx-", "xai-"]),
    (32, &["sk-"]),
];

/// Beginnings of password hashes: whoever has one can guess at leisure.
const HASHES: &[&str] =
    &["$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$5$", "$6$", "$y$", "$7$", "pbkdf2_sha256$", "{SSHA}"];

/// Addresses that whoever knows them can post to.
const HOOKS: &[&str] = &[
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "webhook.office.com/webhook",
];

/// What token of a known form is in the text; `has_slash`: whether it may hold an address, `has_colon`: a
/// bot's token.
pub(super) fn known(text: &str, has_slash: bool, has_colon: bool) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if HASHES.iter().any(|head| text.starts_with(head)) && text.len() >= 34 {
        return Some("the hash of a password");
    }
    let is_hook = |hook: &&str| memmem::find(bytes, hook.as_bytes()).is_some_and(|at| at + hook.len() + 8 < text.len());
    if has_slash && HOOKS.iter().any(is_hook) {
        return Some("the address of a webhook");
    }
    let mut inside = false;
    for (start, pair) in bytes.windows(2).enumerate() {
        let begins = !inside && BEGINNINGS[usize::from(pair[0])] & (1 << (pair[1] & 0x3f)) != 0;
        inside = is_of_token(pair[0]);
        if begins && has_prefix(&text[start..]) {
            return Some("a token of a known service");
        }
    }
    (has_colon && has_bot_token(text)).then_some("a token of a known service")
}

/// By the first byte of a prefix: a bit for each second one, of which the lower six bits count.
static BEGINNINGS: [u64; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < PREFIXES.len() {
        let (heads, mut of) = (PREFIXES[at].1, 0);
        while of < heads.len() {
            let head = heads[of].as_bytes();
            table[head[0] as usize] |= 1 << (head[1] & 0x3f);
            of += 1;
        }
        at += 1;
    }
    table
};

fn has_prefix(text: &str) -> bool {
    let length = text.bytes().take(NEARBY).take_while(|byte| is_of_token(*byte) || *byte == b'.').count();
    let token = &text[..length];
    let is_mixed = |tail: &str| tail.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    PREFIXES.iter().any(|(least, heads)| {
        let mut tails = heads.iter().filter_map(|head| token.strip_prefix(head));
        tails.any(|tail| tail.len() >= *least && is_mixed(tail))
    })
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Telegram's `123456789:35 characters`, alone or in an address as `/bot123456789:…/`.
fn has_bot_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes).any(|at| {
        let digits = bytes[..at].iter().rev().take(13).take_while(|byte| byte.is_ascii_digit()).count();
        let before = &text[..at - digits];
        let apart = before.ends_with("bot") || !before.bytes().next_back().is_some_and(is_of_token);
        let length = bytes[at + 1..].iter().take(36).take_while(|byte| is_of_token(**byte)).count();
        let is_mixed = |tail: &[u8]| tail.iter().any(u8::is_ascii_alphabetic);
        (8..=12).contains(&digits) && length == 35 && apart && is_mixed(&bytes[at + 1..at + 36])
    })
}

/// Whether a JSON Web Token stands in the text: RFC 7519, signed (three parts) or encrypted (five).
pub(super) fn has_jwt(text: &str) -> bool {
    if memmem::find(text.as_bytes(), HEADER).is_none() {
        return false;
    }
    let is_end = |letter: char| !u8::try_from(letter).is_ok_and(|byte| is_of_token(byte) || byte == b'.');
    text.split(is_end).any(|run| {
        let mut parts = run.split('.').zip(run.split('.').skip(1)).zip(run.split('.').skip(2));
        parts.any(|((header, body), _)| !body.is_empty() && ends_in_header(header))
    })
}

/// What the Base64 of `{"` begins with.
const HEADER: &[u8] = b"eyJ";

fn ends_in_header(part: &str) -> bool {
    memmem::find(part.as_bytes(), HEADER).and_then(|at| decode::base64_url(&part[at..])).is_some_and(|json| {
        json.starts_with(b"{")
            && ["\"alg\"", "\"typ\"", "\"enc\""].iter().any(|name| memmem::find(&json, name.as_bytes()).is_some())
    })
}
