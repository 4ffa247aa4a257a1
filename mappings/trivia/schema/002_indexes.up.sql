-- description: The fifteen indexes of version 1
-- depends: 001_version_1
-- after: rows

CREATE INDEX idx_users_username ON users (username);
CREATE INDEX idx_users_total_points ON users (total_points DESC);
CREATE INDEX idx_users_best_streak ON users (best_streak DESC);
CREATE INDEX idx_users_last_played ON users (last_played);

CREATE INDEX idx_questions_category_difficulty ON questions (category, difficulty);
CREATE INDEX idx_questions_difficulty ON questions (difficulty);
CREATE INDEX idx_questions_added_by ON questions (added_by);

CREATE INDEX idx_game_sessions_guild_started ON game_sessions (guild_id, started_at DESC);
CREATE INDEX idx_game_sessions_running ON game_sessions (channel_id) WHERE ended_at IS NULL;
CREATE INDEX idx_game_sessions_host ON game_sessions (host_id);
CREATE INDEX idx_game_sessions_category ON game_sessions (category);

CREATE INDEX idx_user_answers_user_answered ON user_answers (user_id, answered_at);
CREATE INDEX idx_user_answers_question_correct ON user_answers (question_id, is_correct);

CREATE INDEX idx_achievements_session ON achievements (session_id);
CREATE INDEX idx_achievements_earned ON achievements (earned_on);
