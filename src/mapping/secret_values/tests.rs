use super::*;

/// Tokens are put together here, so that no scanner of the repository takes one for real.
fn token(head: &str, length: usize) -> String {
    head.to_owned() + &"aB3dE5gH1jK7".repeat(8)[..length]
}

#[test]
fn urls_with_a_password_are_recognised() {
    for text in [
        "postgres://bob:plain0plain@h/x",
        "see https://bob:Tr0ub4dor%263-zz@h/ for it",
        "redis://:hunter22@cache:6379/0",
        "amqp://u:p@h",
        "https://bob:pass/word@host.example",
        "bob:hunter2@tcp(10.0.0.1:3306)/app",
        "jdbc:mysql://root:toor@db/x",
    ] {
        assert_eq!(recognise(text), Some("a URL with a password"), "{text}");
    }
    for text in [
        "https://example.org/a:b@c",
        "https://example.org:8080/@handle",
        "ssh://git@github.com/a/b",
        "mailto:ada@example.org",
        "https://example.org:443?to=ada@example.org",
        "postgres://bob:${DB_PASSWORD}@h/x",
        "postgres://bob:***@h/x",
        "at 12:30 write to ada@example.org",
        "http://[::1]:80/a@b",
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn private_keys_are_recognised_and_public_ones_are_not() {
    for label in
        ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
    {
        assert_eq!(
            recognise(&format!("x\n-----BEGIN {label}-----\nMIIE\n-----END {label}-----")),
            Some("a private key")
        );
    }
    for label in ["PUBLIC KEY", "CERTIFICATE"] {
        assert_eq!(recognise(&format!("-----BEGIN {label}-----\nMIIE\n-----END {label}-----")), None);
    }
}

#[test]
fn json_web_tokens_are_recognised() {
    let part = |json: &str| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
    };
    let jwt = format!("{}.{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(r#"{"sub":"1"}"#), part("signature"));
    assert_eq!(recognise(&jwt), Some("a JSON Web Token"));
    assert_eq!(recognise(&format!("it is {jwt}, use it")), Some("a JSON Web Token"));
    assert_eq!(recognise(&part(r#"{"alg":"HS256","typ":"JWT"}"#)), None);
    assert_eq!(recognise(&format!("{}.b.c", part(r#"{"page":"2"}"#))), None);
}

#[test]
fn tokens_of_known_services_are_recognised() {
    for (head, length) in [
        ("ghp_", 36),
        ("github_pat_", 40),
        ("glpat-", 20),
        ("xoxb-", 30),
        ("sk_live_", 24),
        ("AIza", 35),
        ("npm_", 36),
        ("sk-", 48),
        ("hvs.", 24),
        ("SG.", 60),
    ] {
        let token = token(head, length);
        assert_eq!(recognise(&token), Some("a token of a known service"), "{head}");
        assert_eq!(recognise(&format!("key: {token}\n")), Some("a token of a known service"), "{head}");
    }
    assert_eq!(recognise(&format!("AKIA{}", "IOSFODNN7EXAMPL3")), Some("a token of a known service"));
    assert_eq!(recognise(&format!("{}:{}", 123_456_789, "a".repeat(35))), Some("a token of a known service"));
    let hook = format!("https://hooks.slack.com/services/{}/{}", "T00000000", "B00000000");
    assert_eq!(recognise(&hook), Some("the address of a webhook"));
    assert_eq!(recognise(&format!("$2b$12${}", "a".repeat(53))), Some("the hash of a password"));
    for text in [
        "sk-learn is a library for machine learning",
        "npm_lifecycle_event_of_a_package_script",
        "key-value-store-of-a-very-simple-program",
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn json_in_a_string_is_looked_into() {
    let member = Some("JSON with a member that looks like a secret");
    assert_eq!(recognise(r#"{"password":"plainAplainA"}"#), member);
    assert_eq!(recognise(r#" [{"a": {"apiKeys": ["x"]}}]"#), member);
    assert_eq!(recognise(r#"{"theme": "dark", "pin": 1234}"#), member);
    assert_eq!(recognise(r#"{"tokens": {"github": "x"}}"#), member);
    let inner = serde_json::Value::from(r#"{"token": "s3cr3t"}"#);
    assert_eq!(recognise(&format!(r#"{{"a": {inner}}}"#)), member);
    assert_eq!(recognise(r#"{"db": "postgres://bob:pw@h/x"}"#), Some("a URL with a password"));
    for text in [
        r#"{"password": ""}"#,
        r#"{"password": null}"#,
        r#"{"token": true, "a": [1, "b", 2.5]}"#,
        r#"{"tokens": {"type": "Bearer"}}"#,
        r#"{"password": "#,
        r#"{this is not json "password"}"#,
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn credentials_of_headers_are_recognised() {
    for text in [
        "Basic Ym9iOnBsYWluOQ==",
        "basic Ym9iOnBsYWluOQ",
        "Authorization: Basic Ym9iOnBsYWluOQ==",
        "Bearer abcdef123456",
        "proxy-authorization: bearer abcdefghijklmnopqrstuvwx",
    ] {
        assert_eq!(recognise(text), Some("the credentials of an HTTP header"), "{text}");
    }
    for text in ["Basic plan", "basic English", "Bearer of bad news", "bearer shares", "Token of love", "Key takeaways"]
    {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn settings_that_look_like_secrets_are_recognised() {
    for text in [
        "Server=h;User Id=sa;Password=hunter2;",
        "host=h user=u password=hunter2",
        "https://example.org/hook?access_token=abc",
        "DB_HOST=h\nDB_PASSWORD=hunter2\n",
        "sid=31d4d96e407aad42; theme=dark",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP",
    ] {
        assert_eq!(recognise(text), Some("a setting that looks like a secret"), "{text}");
    }
    for text in [
        "a=b;c=d;e=f;",
        "https://example.org/?page=2&sort=name",
        "<input type=\"password\" name=\"x\">",
        "password=",
        "SGVsbG8gd29ybGQ=",
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn a_text_that_only_begins_as_json_does_is_searched_for_settings() {
    for text in [
        "[2025-05-07] user=\"bob\" password=hunter2",
        "{Driver};Server=\"h\";Pwd=hunter2;",
        "\"a\": login, password=hunter2",
    ] {
        assert_eq!(recognise(text), Some("a setting that looks like a secret"), "{text}");
    }
    assert_eq!(recognise(r#"["a=1", {"b": "c=2"}]"#), None);
}

#[test]
fn a_text_full_of_signs_takes_time_in_proportion_to_its_length() {
    // What looked at the rest of the text for each of them would take hours.
    for sign in
        ["a=", "a:", " -a ", "<a>", "[{", "password is ", "hvs.", "eyJ", "eyJhbGciOiJub25lIn0", "eyJ.", "a://b,"]
    {
        let started = std::time::Instant::now();
        assert_eq!(recognise(&(sign.repeat(1 << 15) + ".")), None, "{sign}");
        assert!(started.elapsed().as_secs() < 30, "{sign}: {:?}", started.elapsed());
    }
}

#[test]
fn ordinary_texts_are_left_alone() {
    for text in [
        "",
        "plain",
        "The quick brown fox jumps over the lazy dog.",
        "2025-05-07T14:42:18.12+02:00",
        "0f8a3f0c-6f0e-4c58-9a55-5b8a3a6d1c77",
        "d41d8cd98f00b204e9800998ecf8427e",
        "https://example.org/a/b.html#c",
        "/usr/share/doc/x-y_z.txt",
        "v1.2.3-beta_4",
        "Grüße aus Köln: 20 °C, 50 % – schön!",
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}
