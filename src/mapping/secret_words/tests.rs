use super::*;

/// Names of secrets as programs write them.
const SECRETS: &str = "
    password Password PASSWORD passwords userpassword dbpassword password1 smtp_password userPassword2 PassWord pass-word
    pass-phrase passPhrase passphrase passcode pass_code Passcodes passwd passwd_hash htpasswd pwd mail-pw pw dbpw rootpw
    adminpwd pswd pass smtp_pass smtppass dbpass userpass db_pass passHash wifiPass my_pass PASS login.pass
    secret secrets SECRETKEY secretkey clientsecret clientSecret client-secret appsecret consumer_secret sharedSecret
    webhookSecret totp_secret secretAnswer secret_id jwtSecret SECRET_KEY_BASE
    token tokens app_token appToken accessTokens accesstoken authtoken authtokens refreshToken bearer_token sessiontoken
    pushtoken deviceToken x-auth-token csrf_token csrftoken idtoken tokenValue token_id fcm_token oauthToken bottoken
    apikey apikeys api_key apiKey APIKey API_KEY api-key-2 x-api-key myApiKey myapikey aPiKey stripe_key private_key
    privateKey privatekey 'private key' privkey priv_key ssh_key sshkey sshKeys ssh_private_key appKey
    access_key accessKeyId aws_access_key_id encryption_key encryptionkey enc_key signingKey signing_secret master_key
    network_key networkKey wifi_key wpaKey wpa_psk psk pre_shared_key presharedkey jwt_key jwt jwtKey rsaKey hmac_key
    aes_key session_key storage_account_key service_account_key license_key recovery_key account_key deploy_key
    pin PIN doorPIN PINCode pincode pin_code pins 'pin code' userPin pushPin puk otp totp TOTP hotp otp_seed mfa_seed
    mfaSeed otpauth_url recovery_codes recoveryCodes recoverycode backup_codes 'backup codes' backupcode access_code
    doorCode door_code gate_code alarmCode unlock_code security_code verification_code reset_code authCode lockcode
    ccv cc_number s2_access_control_key shared_access_signature security_answer securityAnswer seed_phrase recovery_phrase mnemonic wallet_seed cvv cvc cvv2 card_number
    creditCard credit_card_number ssn
    credential credentials Credentials creds credentialJson cred cookie cookies session_cookie set-cookie cookieJar sid
    session_id sessionId sessionid PHPSESSID csrf xsrf authorization Authorization authorisation proxy-authorization
    bearer basic_auth _auth auth authHeader webhook webhook_url webhookUrl slackWebhook slack_webhook_url
    connection_string connectionString ConnectionStrings dsn pem client_key_pem keystore
    kennwort Kennwort Passwort benutzerpasswort Passwörter geheimnis Geheimzahl geheim Schlüssel api_schlüssel
    mot_de_passe motDePasse motdepasse mdp 'mot de passe' clé clé_api clé_privée code_secret jeton
    contraseña contrasena CONTRASEÑA clave clave_secreta clave_privada mi_clave clave_de_acceso credenciales secreto
    senha senha_usuario palavra-passe chave_secreta chave_de_acesso segredo segreto chiave_privata credenziali parola
    wachtwoord wachtwoorden toegangscode sleutel lösenord losenord hemlig nyckel passord kodeord adgangskode salasana
    hasło haslo hasło_użytkownika klucz_api klucz_prywatny sekret heslo jelszó şifre ŞİFRE sifre lozinka
    пароль Пароль ПАРОЛЬ пароль_пользователя секрет ключ ключ_шифрования токен пин пин-код
    tan TAN mTAN mtan photoTan photoTAN smsTan pushTan tan_list tanCode itan one_time_code oneTimeCode oneTimeCodes
    oneTimePassword 2fa_code twoFactorCode authenticatorCode rescue_codes totpSeed backupCodes recoveryCodes
    mothersMaidenName mother_maiden_name 'mother’s maiden name' mothersmaidenname securityQuestionAnswer
    security_question_answers secretAnswer challengeAnswer recovery_answer pwhash pw_hash passhash pwdhash hashedpass
    encryptedPassword crypted_password password_digest ntHash nt_hash nthash lm_hash ntlmHash stripe_sk stripeSk STRIPE_RK
    sk_live sk_test api_sk openai_sk github_pat gitlabPat azure_devops_pat connectionStr conn_str
    geslo Geslo gesla heslo hesla parool salasõna slaptažodis slaptazodis lykilorð fjalëkalimi pasahitza contrasenya
    contrasinal cyfrinair wagwoord kataLaluan лозинка პაროლი գաղտնաբառ گذرواژه پاسورڈ_token পাসওয়ার্ড கடவுச்சொல்
    密码 用户密码 登录密码 密碼 口令 密钥 私钥 令牌 API密钥 PIN码 パスワード ユーザーパスワード 暗証番号 秘密 秘密鍵 APIキー トークン 비밀번호
    암호 รหัสผ่าน पासवर्ड סיסמה كلمة_المرور ｐａｓｓｗｏｒｄ κωδικός mật_khẩu kata_sandi
";

/// Ordinary names, many of which hold a word for a secret.
const ORDINARY: &str = "
    passenger passengers passengerCount passage passages passion passive passport compass compassHeading bypass
    surpass overpass trespass encompass impasse passed passing passes pass_count passRate pass_through passThrough
    boarding_pass dayPass ski_pass first_pass lowPass passFail test_pass passwordless
    keyboard keyboards keyboardLayout monkey donkey turkey Turkey hockey jockey whiskey Disney mickey keynote keystone
    keyframe keyframes keypad keyhole keyword keywords keyWord key keys KEY keyCode key_code key_name keyName keyId
    primary_key primaryKey foreign_key foreignKey sort_key partition_key public_key publicKey cache_key cacheKey
    lookup_key translation_key row_key object_key unique_key hotkey hotKey shortcut_key key_metrics turnkey latchkey
    metadata_key idempotency_key answer_key map_keys app_keyboard userKeyboard
    tokenize tokenizer tokenized tokenization tokenizers token_count tokenCount max_tokens maxTokens tokens_used
    tokensUsed total_tokens totalTokens prompt_tokens completion_tokens input_tokens outputTokens max_new_tokens
    max_output_tokens num_tokens n_tokens token_limit tokenLimit tokens_per_second token_usage cached_tokens
    remaining_tokens token_budget number_of_tokens token_type tokenType token_expires_at token_expires_in
    password_changed_at passwordUpdatedAt password_length passwordPolicy secret_type credential_type pin_length
    cookie_consent cookieConsent cookie_banner cookies_accepted cookiePolicy cookie_preferences
    private is_private privateNote private_note privacy privately privateMessages
    secretary secretaries secretariat secretion sekretariat Sekretärin secretaryEmail
    pinned is_pinned pinnedAt pinterest pinterest_url pinball pineapple pinhole pinch ping ping_ms pinion spin spinner
    opinion opinions spine shipping mapping shopping happiness map_pin pin_color pinColor gpio_pin pinout pins_count
    author authors authored author_id authority authorized authorizedAt unauthorized authentic authenticated
    authentication_method auth_type authMethod authorization_status oauth_provider
    user user_id username user_name login logins session sessions session_count session_type
    code codes country_code zipCode postal_code statusCode error_code language_code barcode unicode qr_code
    promo_code discountCode source_code encode decode geocode
    hash file_hash sha256 checksum nonce salt seed random_seed seeds signature digest etag iban
    otter option options adopt token_price credits credit accredited discredit incredible
    card cards card_type cardinal scoreboard dashboard webhook_id webhook_enabled webhookEvents hook hooks
    site side sides inside aside consider president pistol jwtEnabled otp_enabled mfa_enabled two_factor
    note title body tags url email phone address created_at status version data meta 42 ''
    hasPassword has_password isSecret is_secret isTokenValid needsPin requirePassword require_password showPassword
    hidePassword forgotPassword allowPassword noPassword can_change_password must_reset_password
    passwordHint password_hint passwordHints secretQuestion security_question securityQuestions pinPrompt
    secretSanta secret_santa secretGarden secretLevel secretAgent secret_ingredient secretAdmirer
    tokenRing token_ring tokenSymbol tokenDecimals token_supply designTokenColor token_color tokenUri token_endpoint
    tokenAddress userKey user_key userkey userKeys
    databaseUrl database_url DATABASE_URL mongoUri jdbcUrl dbUrl redisUrl
    tanColor dark_tan sunTan spray_tan tan_theta atan arctan tangent tank tanker titan stan satan Tansania
    pk sk stripe_pk stripePk pk_live pk_test name_sk title_sk gsi1sk GSI1PK sort_sk pat Pat pattern patch patty
    timeCode time_code timecode questionAnswer question_answers answer answers quizAnswer maidenName
    passwordQuestion hashPath hash hashes file_hash hashtag pashmina shipTo parole paroles parolee parolees
    palabra_clave clave_primaria claves_primarias parola_chiave token_ids daily_tokens secretly pin_to_top monthlyPass mot_clé Schlüsselwort ключевое_слово 关键词 键盘 キーワード 密度
";

/// The names of a list; those of more than one word stand in quotes.
fn names(list: &str) -> Vec<String> {
    let quoted = list.split('\'').enumerate();
    quoted
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[test]
fn names_of_secrets_are_recognised_however_they_are_written() {
    let names = names(SECRETS);
    assert!(names.len() >= 150, "{}", names.len());
    let missed: Vec<_> = names.iter().filter(|name| !looks_secret(name)).collect();
    assert_eq!(missed, Vec::<&String>::new());
}

#[test]
fn ordinary_names_are_left_alone() {
    let names = names(ORDINARY);
    assert!(names.len() >= 150, "{}", names.len());
    let alarms: Vec<_> = names.iter().filter(|name| looks_secret(name)).collect();
    assert_eq!(alarms, Vec::<&String>::new());
}

#[test]
fn below_a_name_of_secrets_all_is_secret_but_what_describes_it() {
    assert!(["github", "value", "0", "url", "refresh"].into_iter().all(|member| looks_secret_below("tokens", member)));
    assert!(!["type", "expires_at", "username", "id"].into_iter().any(|member| looks_secret_below("tokens", member)));
    assert!(!looks_secret_below("settings", "value"));
}

#[test]
fn names_that_claim_encryption_are_recognised() {
    assert!(["encrypted_user", "EncryptedUser", "note_ciphertext"].into_iter().all(claims_encryption));
    assert!(!["encryption", "sealant", "unsealed", ""].into_iter().any(claims_encryption));
}

#[test]
fn a_name_is_split_at_case_changes_scripts_and_what_is_not_a_letter() {
    assert_eq!(words("userAPIKey_2x"), ["user", "api", "key", "x"]);
    assert_eq!(words("APIキー"), ["api", "キー"]);
    assert_eq!(words("contrasen\u{303}a"), ["contrasena"]);
}

#[test]
fn parts_of_words_have_at_least_six_letters() {
    let short: Vec<_> = PARTS.iter().filter(|part| part.chars().count() < SHORTEST_PART).collect();
    assert_eq!(short, Vec::<&str>::new());
}
