-- description: Version 1: users, questions, game sessions, answers and achievements

-- The bot reads its version here when it starts: the highest one counts.
CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY CHECK (version > 0),
    description TEXT NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE users (
    user_id INTEGER PRIMARY KEY,
    username TEXT NOT NULL,
    display_name TEXT,
    total_points INTEGER NOT NULL DEFAULT 0 CHECK (total_points >= 0),
    questions_answered INTEGER NOT NULL DEFAULT 0 CHECK (questions_answered >= 0),
    correct_answers INTEGER NOT NULL DEFAULT 0 CHECK (correct_answers >= 0),
    current_streak INTEGER NOT NULL DEFAULT 0 CHECK (current_streak >= 0),
    best_streak INTEGER NOT NULL DEFAULT 0,
    joined_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_played DATE,
    CHECK (correct_answers <= questions_answered),
    CHECK (best_streak >= current_streak)
);

CREATE TABLE questions (
    question_id INTEGER PRIMARY KEY,
    category TEXT NOT NULL CHECK (category <> ''),
    difficulty TEXT NOT NULL CHECK (difficulty IN ('easy', 'medium', 'hard')),
    question TEXT NOT NULL UNIQUE,
    correct_answer TEXT NOT NULL,
    wrong_answers JSON NOT NULL,
    points INTEGER NOT NULL CHECK (points > 0),
    added_by INTEGER REFERENCES users (user_id) ON DELETE SET NULL,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE game_sessions (
    session_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    host_id INTEGER REFERENCES users (user_id) ON DELETE SET NULL,
    category TEXT,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'cancelled')),
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ended_at TIMESTAMP,
    CHECK (ended_at >= started_at)
);

CREATE TABLE user_answers (
    answer_id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES game_sessions (session_id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    question_id INTEGER NOT NULL REFERENCES questions (question_id) ON DELETE CASCADE,
    answer TEXT,
    is_correct BOOLEAN NOT NULL,
    points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0),
    response_ms INTEGER CHECK (response_ms >= 0),
    answered_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (session_id, user_id, question_id)
);

CREATE TABLE achievements (
    achievement_id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> ''),
    bonus_points INTEGER NOT NULL DEFAULT 0 CHECK (bonus_points >= 0),
    session_id INTEGER REFERENCES game_sessions (session_id) ON DELETE SET NULL,
    earned_on DATE NOT NULL DEFAULT CURRENT_DATE,
    UNIQUE (user_id, name)
);

INSERT INTO schema_version (version, description) VALUES (1, 'Initial schema');
