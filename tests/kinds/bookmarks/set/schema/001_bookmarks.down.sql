DROP TABLE bookmarks;
DROP TABLE folders;
