DROP TABLE bills;
DROP TABLE grants;
DROP TABLE changes;
DROP TABLE plans;
DROP TABLE pieces;
DROP TABLE turns;
DROP TABLE talks;
DROP TABLE desks;
