CREATE TABLE albums (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE);
CREATE TABLE photos (
    id UUID PRIMARY KEY NOT NULL,
    file TEXT NOT NULL UNIQUE,
    album_id INTEGER REFERENCES albums (id),
    taken_at TIMESTAMP,
    mtime TIMESTAMP NOT NULL,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    aperture NUMERIC(4,2),
    iso INTEGER,
    exif JSON,
    sha1 BLOB NOT NULL,
    thumb BLOB
);
CREATE TABLE people_in_photos (
    photo_id UUID NOT NULL REFERENCES photos (id),
    name TEXT NOT NULL,
    PRIMARY KEY (photo_id, name)
);
