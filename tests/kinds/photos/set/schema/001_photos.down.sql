DROP TABLE people_in_photos;
DROP TABLE photos;
DROP TABLE albums;
