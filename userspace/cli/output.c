// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables for people (libsmartcols), and the same rows as JSON for programs (json-c): a list of
 * objects under the table's name.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

#include "cli.h"

/* Where there are so many changes, another try would not help. */
#define DUMP_TRIES	10

struct table {
	const char *name;
	const struct column *columns;
	size_t count;
	size_t at;			/* column of the next cell */
	int tries;			/* of filling it from a dump */

	/* for people */
	struct libscols_table *scols;	/* NULL: JSON */
	struct libscols_line *line;

	/* for programs */
	struct json_object *rows;
	struct json_object *row;
};

static void check(int result)
{
	if (result) {
		fprintf(stderr, "covol: output: %s\n", strerror(ENOMEM));
		exit(EXIT_FAILED);
	}
}

static void check_pointer(const void *pointer)
{
	check(!pointer);
}

static bool to_the_right(enum column_kind kind)
{
	return kind == COLUMN_NUMBER || kind == COLUMN_BYTES || kind == COLUMN_AMOUNT ||
	       kind == COLUMN_PERCENT;
}

static void add_columns(struct table *table)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		check_pointer(scols_table_new_column(table->scols, table->columns[i].name, 0,
						     to_the_right(table->columns[i].kind) ?
						     SCOLS_FL_RIGHT : 0));
}

struct table *table_new(const char *name, bool json, const struct column *columns, size_t count)
{
	struct table *table = calloc(1, sizeof(*table));

	check_pointer(table);
	table->name = name;
	table->columns = columns;
	table->count = count;
	if (json) {
		table->rows = json_object_new_array();
		check_pointer(table->rows);
		return table;
	}
	table->scols = scols_new_table();
	check_pointer(table->scols);
	/* Never fitted to a terminal: a number that is cut is a wrong number. */
	check(scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER));
	add_columns(table);
	return table;
}

void table_free(struct table *table)
{
	scols_unref_table(table->scols);
	json_object_put(table->rows);
	free(table);
}

bool disturbed(struct table *table, int error)
{
	if (error != -EAGAIN || ++table->tries >= DUMP_TRIES)
		return false;
	if (table->scols)
		scols_table_remove_lines(table->scols);
	else
		json_object_array_del_idx(table->rows, 0, json_object_array_length(table->rows));
	return true;
}

void table_row(struct table *table)
{
	table->at = 0;
	if (table->scols) {
		table->line = scols_table_new_line(table->scols, NULL);
		check_pointer(table->line);
		return;
	}
	table->row = json_object_new_object();
	check_pointer(table->row);
	check(json_object_array_add(table->rows, table->row));
}

static const struct column *next_column(struct table *table)
{
	if (table->at >= table->count)
		abort();
	return &table->columns[table->at++];
}

static void put_text(struct table *table, const char *text)
{
	size_t at = next_column(table) - table->columns;

	check(scols_line_set_data(table->line, at, text));
}

/* value may be NULL, which is null. */
static void put_json(struct table *table, struct json_object *value)
{
	const char *name = next_column(table)->name;
	char key[64];
	size_t i;

	for (i = 0; name[i] && i < sizeof(key) - 1; i++)
		key[i] = tolower((unsigned char)name[i]);
	key[i] = '\0';
	check(json_object_object_add(table->row, key, value));
}

void cell_text(struct table *table, const char *text)
{
	if (table->scols)
		put_text(table, text);
	else
		put_json(table, json_object_new_string(text));
}

void cell_none(struct table *table)
{
	if (table->scols)
		put_text(table, "-");
	else
		put_json(table, NULL);
}

static const char *number_for_people(enum column_kind kind, uint64_t number,
				     char text[SIZE_TEXT_LEN])
{
	switch (kind) {
	case COLUMN_BYTES:
		return format_size(number, text);
	case COLUMN_AMOUNT:
		return format_amount(number, text);
	case COLUMN_BOOL:
		return number ? "yes" : "no";
	default:
		snprintf(text, SIZE_TEXT_LEN, "%" PRIu64, number);
		return text;
	}
}

void cell_number(struct table *table, uint64_t number)
{
	enum column_kind kind = table->columns[table->at].kind;
	char text[SIZE_TEXT_LEN];

	if (table->scols)
		put_text(table, number_for_people(kind, number, text));
	else if (kind == COLUMN_BOOL)
		put_json(table, json_object_new_boolean(number));
	else
		put_json(table, json_object_new_uint64(number));
}

void cell_percent(struct table *table, double percent)
{
	char text[SIZE_TEXT_LEN];

	snprintf(text, sizeof(text), "%.3f", percent);
	if (!table->scols) {
		put_json(table, json_object_new_double_s(percent, text));
		return;
	}
	snprintf(text, sizeof(text), "%.1f%%", percent);
	put_text(table, text);
}

struct json_object *json_reasons(uint32_t reasons)
{
	struct json_object *list = json_object_new_array(), *name;
	uint32_t bit;

	check_pointer(list);
	for (bit = 1; bit; bit <<= 1) {
		if (!(reasons & bit))
			continue;
		name = json_object_new_string(covol_reason_name(bit));
		check(json_object_array_add(list, name));
	}
	return list;
}

void cell_reasons(struct table *table, uint32_t reasons)
{
	char text[160];

	if (!table->scols)
		put_json(table, json_reasons(reasons));
	else if (reasons)
		put_text(table, covol_reasons_format(reasons, ",", text, sizeof(text)));
	else
		cell_none(table);
}

static struct json_object *json_words(const char *words)
{
	struct json_object *list = json_object_new_array(), *word;
	size_t length;

	check_pointer(list);
	for (; *words; words += length + (words[length] == ' ')) {
		length = strcspn(words, " ");
		word = json_object_new_string_len(words, length);
		check(json_object_array_add(list, word));
	}
	return list;
}

void cell_words(struct table *table, const char *words)
{
	char text[160];
	char *space;

	if (!table->scols) {
		put_json(table, json_words(words));
		return;
	}
	snprintf(text, sizeof(text), "%s", *words ? words : "-");
	while ((space = strchr(text, ' ')))
		*space = ',';
	put_text(table, text);
}

void cell_uuid(struct table *table, const struct covol_uuid *uuid)
{
	char text[COVOL_UUID_TEXT_LEN];

	cell_text(table, covol_uuid_format(uuid, text));
}

static void print_json(struct table *const *tables, size_t count, int how)
{
	struct json_object *all = json_object_new_object();
	size_t i;

	check_pointer(all);
	for (i = 0; i < count; i++)
		check(json_object_object_add(all, tables[i]->name,
					     json_object_get(tables[i]->rows)));
	printf("%s\n", json_object_to_json_string_ext(all, how | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

void tables_print_line(struct table *const *tables, size_t count)
{
	print_json(tables, count, JSON_C_TO_STRING_PLAIN);
}

void tables_print(struct table *const *tables, size_t count)
{
	print_json(tables, count, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

bool table_empty(const struct table *table)
{
	return table->scols ? scols_table_is_empty(table->scols) :
			      !json_object_array_length(table->rows);
}

void table_print(struct table *table)
{
	if (!table->scols)
		tables_print(&table, 1);
	else if (!scols_table_is_empty(table->scols))
		check(scols_print_table(table->scols));
}
