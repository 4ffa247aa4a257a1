//! Texts as real trees hold them: with secrets in every wrapping that is known, and without.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// One text a line; `⏎` is a line break, `␣` a blank at an end.
fn texts(list: &str) -> Vec<String> {
    let read = |line: &str| line.trim_start().replace('⏎', "\n").replace('␣', " ").replace("BOM", "\u{feff}");
    list.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
}

const WITH_SECRETS: &str = r#"
    2025-05-07 12:00:01 DEBUG request body {"user":"bob","password":"hunter2"} took 3 ms
    got [{"name":"password","value":"hunter"}] from the server
    BOM{"password":"hunter2"}
    BOM␣␣{"a":{"apiKey":"x"}}
    ⏎⏎␣{"token":"abc"}
    [{"name":"password","value":"hunter"}]
    [{"value":"hunter","name":"DB_PASSWORD"}]
    {"env":[{"key":"API_KEY","value":"abc"},{"key":"HOST","value":"h"}]}
    [["user","bob"],["password","hunter"]]
    ["password","hunter2"]
    //bob:hunter2@files.example.org/share
    git clone '//bob:s3cret@git.example.org/x.git'
    curl https://api.telegram.org/bot123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/sendMessage
    mysql --user bob --password hunter -h db
    mysql --password=hunter db
    tool -token abcdef
    ["tool","--password","hunter"]
    curl -u bob:hunter2 https://example.org
    curl -H "Authorization: Bearer abcdef123456" https://example.org
    curl -H 'X-Api-Key: abc123def' https://example.org
    password: hunter
    Password: hunter2
    the PIN: 4711
    user: bob⏎password: hunter⏎
    db:⏎  host: h⏎  password: 'a b c'⏎
    # config⏎DB_HOST=h⏎DB_PASSWORD="a b c"⏎
    export API_KEY='abc'
    [db]⏎host = h⏎password = hunter⏎
    spring.datasource.password: geheim
    login bob, password=hunter and so on
    <config><user>bob</user><password>hunter</password></config>
    <db:password type="text">hunter</db:password>
    <password><![CDATA[hunter]]></password>
    <add key="DbPassword" value="hunter"/>
    <property name="password">hunter</property>
    <dict><key>password</key><string>hunter</string></dict>
    <entry><name>apiKey</name><value>abc</value></entry>
    <user name="bob" password="hunter"/>
    {\"user\":\"bob\",\"password\":\"hunter\"}
    log: "{\"token\":\"abc\"}"
    {'user': 'bob', 'password': 'hunter'}
    {:password => "hunter"}
    array('password' => 'hunter')
    $config['db_password'] = 'hunter';
    const apiKey = "abc123";
    self.password := "hunter"
    Login: bob Password: hunter2!
    The password is hunter2, do not tell.
    Das Passwort lautet Sommer2024
    **Password:** `hunter2`
    Wi-Fi password: correct-horse1
    machine example.org login bob password hunter22
    CREATE USER bob IDENTIFIED BY 'hunter';
    ALTER ROLE bob WITH PASSWORD 'hunter';
    Server=tcp:h,1433;User ID=sa;Password=hunter;Encrypt=true
    jdbc:postgresql://h/db?user=bob&password=hunter
    redirect=https%3A%2F%2Fexample.org%2F%3Faccess_token%3Dabc
    Set-Cookie: sessionid=38afes7a8; HttpOnly; Path=/
    Cookie: theme=dark; auth_token=abc
    %7B%22password%22%3A%22hunter%22%7D
    {"a":"{\"b\":\"{\\\"p\\u0061ssword\\\":\\\"x\\\"}\"}"}
    geslo: skrivnost
    [["password","x"]]
    run --password x
    user: b⏎password: x⏎
    <a><password>x</password></a>
    password=x
"#;

/// The last lines are those of sentences about secrets.
const INNOCENT: &str = r#"
    https://example.org/@ada/posts?page=2&sort=name
    https://example.org:8080/a//b@c
    // see also: ada@example.org
    //cdn.example.org/lib.js
    //cdn.example.org:8080/lib@2.1.0/x.js
    ada@example.org, bob@example.org; "Eve" <eve@example.org>
    Ada <ada@example.org>: hello
    d670460b4b4aece5915caf5c68d12f560a9fe3e4
    commit d670460b4b4aece5915caf5c68d12f560a9fe3e4⏎Author: Ada <ada@example.org>⏎Date: Thu May 7 14:42:18 2025
    0f8a3f0c-6f0e-4c58-9a55-5b8a3a6d1c77
    urn:uuid:0f8a3f0c-6f0e-4c58-9a55-5b8a3a6d1c77
    sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk
    THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED
    Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file
    Permission is hereby granted, free of charge, to any person: see LICENSE
    52.5200,13.4050;48.8566,2.3522;51.5074,-0.1278
    lat: 52.5200, lon: 13.4050, alt: 34
    +49 30 1234567, (030) 123-4567
    phone: +49 30 1234567 ext. 12
    2025-05-07T14:42:18.12+02:00
    from 2025-05-07T14:42:18Z to 2025-05-08T00:00:00Z
    .token.keyword { color: #07a; } .pin-icon{width:12px}
    body { font: 12px/1.5 "Helvetica Neue", sans-serif; background: url(a.png) }
    # Title⏎⏎key: value⏎name: Ada⏎- item: 3⏎
    ---⏎title: Secret gardens⏎tags: [a, b]⏎---⏎Text
    SELECT id, name FROM users WHERE password = ? AND token = :token
    UPDATE users SET password = $1, secret = @secret WHERE id = 3
    INSERT INTO users (name, password) VALUES (?, ?)
    CREATE TABLE users (id INTEGER, password VARCHAR(255) NOT NULL, token TEXT)
    SELECT u.token FROM users u JOIN t ON t.token = u.token
    password: ${DB_PASSWORD}
    DB_PASSWORD=$DB_PASSWORD⏎API_KEY={{ api_key }}⏎TOKEN=<your token>⏎
    password=********
    password=xxxxxx
    "password": "[REDACTED]"
    password: null
    token = getToken()
    password = os.environ["DB_PASSWORD"]
    const password = req.body.password;
    {"username": "ada", "password": ""}
    {"tokens": 5, "passwords": 3, "max_tokens": 4096}
    {"required": ["username", "password"]}
    {"fields": ["password", "email"]}
    {"name": "password", "type": "string", "label": "Your password"}
    <input type="password" name="password" placeholder="x">
    <label for="password">Password</label><span class="token">x</span>
    <label>Password</label><small>Forgot it?</small>
    <h2 id="secrets">Secrets of the garden</h2>
    <password></password><token/>
    /usr/share/doc/password-store/README.md
    C:\Users\Ada\passwords.txt
    std::secret::Secret::new
    12:30 lunch, 14:00 call: bring ID
    Note: pass: 12, fail: 2, skip: 0
    tests pass: 1200
    tokens: 4096
    usage: 120 tokens, cost: 0.02
    a < b and c > d
    mysql --password -h db
    Use --password to set the password, --token for the token.
    -- password reset requested
    - password reset: see mail
    docker run -u 1000:1000 image
    Grüße: 20 °C, 50 % – schön!
    100% of tokens: 50% used
    Password: see the manager
    Password: required
    Password: 8-16 characters
    Password must have 12 characters
    the password is kept by Anna
    The password is case-sensitive and at least 8 characters long.
    password reset requested
    forgot password?
    Forgot your password? Click here: https://example.org/reset
    Password changed: 2025-05-07
    The token is valid until 2025-05-08T00:00:00Z
    Password hashing: SHA256 with salt
    Passwort: siehe Zettel
    Das Passwort ist beim Hausmeister
    Mot de passe : demander à Anna
    My secret: I like cheese
    Secret ingredient: cinnamon and love
    Secret Santa: Anna draws Bob
    "Open sesame" is the password
    Token of love: a ring
    PIN: ask at the desk
    Key takeaways: 3 points
    Please enter your PIN on page 2.
    The secretary: Mrs Smith, room 12a
    Session: 14:00-15:00, room 2b
    credentials: contact ada@example.org
"#;

#[test]
fn secrets_are_found_in_the_wrappings_of_real_texts() {
    let texts = texts(WITH_SECRETS);
    assert!(texts.len() >= 40, "{}", texts.len());
    let missed: Vec<_> = texts.iter().filter(|text| recognise(text).is_none()).collect();
    assert_eq!(missed, Vec::<&String>::new());
}

#[test]
fn texts_without_secrets_are_left_alone() {
    let texts = texts(INNOCENT);
    assert!(texts.len() >= 40, "{}", texts.len());
    let alarms: Vec<_> = texts.iter().filter_map(|text| recognise(text).map(|what| (text, what))).collect();
    assert_eq!(alarms, Vec::<(&String, &str)>::new());
}

#[test]
fn base64_of_a_text_is_looked_into() {
    for text in [r#"{"password":"hunter2"}"#, "DB_PASSWORD=hunter2\n", "postgres://bob:hunter2@h/x"] {
        let what = recognise(text);
        assert!(what.is_some());
        assert_eq!(recognise(&STANDARD.encode(text)), what, "{text}");
        assert_eq!(recognise(&URL_SAFE_NO_PAD.encode(text)), what, "{text}");
        assert_eq!(recognise(&format!("data:text/plain;base64,{}", STANDARD.encode(text))), what, "{text}");
        assert_eq!(recognise(&STANDARD.encode(STANDARD.encode(text))), what, "{text}");
        let digits = STANDARD.encode(text);
        let (head, tail) = digits.split_at(20);
        assert_eq!(recognise(&format!("{head}\n{tail}\n")), what, "{text}");
    }
    assert_eq!(recognise(&STANDARD.encode("nothing that would be a secret, in a longer text")), None);
}

/// What these cost is known: a line under `[declassify]` decides each.
#[test]
fn some_texts_raise_a_false_alarm_on_purpose() {
    for text in [
        "password: swordfish",            // in a discussion of a film
        "if token == \"abc\" { return }", // a comparison in a program
        "?page_token=CAUQAA",             // the place in a list
        "License key: ABCD-1234 expired", // of a program no longer used
        "in the test, password = 'test'", // of a test
    ] {
        assert!(recognise(text).is_some(), "{text}");
    }
}

/// These are the limits that docs/credentials.md states.
#[test]
fn some_wrappings_are_beyond_what_is_recognised() {
    for text in [
        "user,password\nbob,hunter2\n",
        "password:\n  hunter2\n",
        "the word you need for the door: swordfish",
        "bob / hunter2",
        "Password: correct horse battery",
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}
