// sqlite [FILE] fills a table of words and numbers in a database, in memory unless a file is named, and queries it.

#include <stdio.h>

#include "sqlite3-binding.h"

static int print_row(void *unused, int n, char **values, char **names) {
	(void)unused;
	(void)names;
	for (int i = 0; i < n; i++) {
		printf(i + 1 < n ? "%s " : "%s\n", values[i] ? values[i] : "-");
	}
	return 0;
}

static const char *const statements[] = {
	"PRAGMA temp_store = memory",
	"CREATE TABLE item(id INTEGER PRIMARY KEY, kind TEXT, price INTEGER)",
	("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) "
		"INSERT INTO item SELECT i, printf('kind %03d', i * 7919 % 311), i * 104729 % 10007 FROM n"),
	"CREATE INDEX item_kind ON item(kind, price)",
	"UPDATE item SET price = price + 1 WHERE id % 3 = 0",
	"DELETE FROM item WHERE id % 11 = 0",
	"SELECT count(*), sum(price), max(kind) FROM item",
	"SELECT kind, count(*) AS n, sum(price) AS total FROM item GROUP BY kind ORDER BY total DESC LIMIT 5",
	"SELECT a.id, b.id FROM item a JOIN item b ON a.kind = b.kind AND a.price = b.price + 1 AND a.id < b.id ORDER BY a.id LIMIT 5",
	"SELECT count(*) FROM item WHERE kind LIKE '%7%' AND price BETWEEN 100 AND 5000",
};

int main(int argc, char **argv) {
	sqlite3 *db;
	const char *path = argc > 1 ? argv[1] : ":memory:";
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db, flags, "unix-none") != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s: %s\n", path, sqlite3_errmsg(db));
		return 1;
	}
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		char *message = NULL;
		if (sqlite3_exec(db, statements[i], print_row, NULL, &message) != SQLITE_OK) {
			fprintf(stderr, "sqlite: %s: %s\n", statements[i], message);
			return 1;
		}
	}
	return sqlite3_close(db) != SQLITE_OK;
}
