DROP TABLE steps;
DROP TABLE recipe_tags;
DROP TABLE tags;
DROP TABLE recipes;
DROP TABLE friends;
DROP TABLE users;
