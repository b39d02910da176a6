/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of `covol` share.
 */
#ifndef COVOL_CLI_H
#define COVOL_CLI_H

#include <covol/libcovol.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Exit codes. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* What a parse returns when the command is to go on; everything else is an exit code. */
#define GO_ON	(-1)

/**
 * struct command - one command
 * @name: its words: "kernel volume add"
 * @function: gets the words after the name; returns an exit code
 * @description: half a line
 */
struct command {
	const char *name;
	int (*function)(const struct command *self, int argc, char **argv);
	const char *description;
};

/* All of `covol` but main(): argv[0] is the program. Returns an exit code. */
int run_cli(int argc, char **argv);

/* Prints "covol NAME: ..." to stderr; returns EXIT_FAILED. */
__attribute__((format(printf, 2, 3)))
int fail(const struct command *self, const char *format, ...);
/* The same with a hint to --help; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3)))
int bad_usage(const struct command *self, const char *format, ...);

/* ---- words of the command line ---- */

enum arg_kind {
	ARG_FLAG,	/* bool */
	ARG_STRING,	/* const char * */
	ARG_UUID,	/* struct covol_uuid */
	ARG_NODE,	/* uint32_t, from 1 */
	ARG_NUMBER,	/* uint64_t */
	ARG_COUNT,	/* uint32_t, from 1 */
	ARG_BYTES,	/* uint64_t: "4096", "64K", "1GiB" */
	ARG_SECONDS,	/* unsigned int, milliseconds: "5", "0.5" */
	ARG_ROLE,	/* uint32_t */
	ARG_ROUTE,	/* uint32_t */
	ARG_IMAGE,	/* uint64_t, from 1 */
	ARG_OBJECT,	/* uint64_t: "volume", "image:7", or a number */
	ARG_REST,	/* struct words: all that is left, at least one if required */
};

struct words {
	char **word;
	int count;
};

/**
 * struct arg - an option or a word that a command takes
 * @name: "--node", or "UUID" for a word; words are taken in the order of the table
 * @kind: what it must look like, and what @value points to
 * @value: where to put it; untouched when it is not given
 * @required: whether it must be given
 * @help: half a line
 * @seen: set by parse_args()
 */
struct arg {
	const char *name;
	enum arg_kind kind;
	void *value;
	bool required;
	const char *help;
	bool seen;
};

#define END_OF_ARGS	{ .name = NULL }

/*
 * Takes a command's words apart. The table ends with END_OF_ARGS. --help is known to every command.
 * Returns GO_ON, or the code to exit with after help or an error was printed.
 */
int parse_args(const struct command *self, struct arg *args, int argc, char **argv);

/* Whether the command line had this one of the table's arguments. */
bool given(const struct arg *args, const char *name);

/* Single values. NULL when fine, else what is expected: "a number of bytes (4096, 64K, 1G)". */
const char *parse_value(enum arg_kind kind, const char *word, void *value);
/* "data:0:1M:2M" into an extent. */
const char *parse_extent(const char *word, struct covol_extent *extent);

/* ---- sizes ---- */

#define SIZE_TEXT_LEN	32

bool parse_size(const char *text, uint64_t *bytes);
/* In the largest unit that keeps it exact: "1M", "1025K", "513". Returns text. */
const char *format_size(uint64_t bytes, char text[SIZE_TEXT_LEN]);
/* Rounded to one decimal: "1.5M". Returns text. */
const char *format_amount(uint64_t bytes, char text[SIZE_TEXT_LEN]);
/* "volume" or "image:7". Returns text. */
const char *format_object(uint64_t object, char text[SIZE_TEXT_LEN]);

/* ---- tables ---- */

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_BYTES,	/* exact; a number in JSON */
	COLUMN_AMOUNT,	/* rounded; a number in JSON */
	COLUMN_BOOL,
	COLUMN_PERCENT,
	COLUMN_REASONS,	/* an array in JSON */
};

/**
 * struct column - one column of a table
 * @name: heading, and in lower case the key in JSON
 * @kind: of its cells
 */
struct column {
	const char *name;
	enum column_kind kind;
};

struct table;

/* Out of memory ends the program with a line to stderr: there is nothing to be undone. */
struct table *table_new(const char *name, bool json, const struct column *columns, size_t count);
void table_free(struct table *table);
/*
 * For "do error = covol_xxx_dump(...); while (disturbed(table, error));": true, with the table
 * emptied, when a change has disturbed the dump and it should be tried again.
 */
bool disturbed(struct table *table, int error);
/* A row; its cells follow, one call for each column, from the left. */
void table_row(struct table *table);
void cell_text(struct table *table, const char *text);
void cell_number(struct table *table, uint64_t number);	/* NUMBER, BYTES, AMOUNT, BOOL */
void cell_percent(struct table *table, double percent);
void cell_reasons(struct table *table, uint32_t reasons);
/* REASONS, from words with spaces between them. */
void cell_words(struct table *table, const char *words);
void cell_uuid(struct table *table, const struct covol_uuid *uuid);
void cell_none(struct table *table);
/* To stdout. An empty table is nothing for people, and an empty list for programs. */
void table_print(struct table *table);
/* Tables for programs, as one object on one line. */
void tables_print_line(struct table *const *tables, size_t count);
/* The same on many lines. */
void tables_print(struct table *const *tables, size_t count);
bool table_empty(const struct table *table);

struct json_object;
/* A list of names. */
struct json_object *json_reasons(uint32_t reasons);

/* ---- the kernel ---- */

/* A handle, or NULL after an error was printed. */
struct covol *open_kernel(const struct command *self);
/* Prints covol_error(), closes the handle; returns EXIT_FAILED. For "return failed(self, c)". */
int failed(const struct command *self, struct covol *c);
/* Closes the handle; EXIT_OK, or as failed() when error is not 0. */
int finished(const struct command *self, struct covol *c, int error);

/* ---- commands ---- */

int agent_status(const struct command *self, int argc, char **argv);
int volume_create(const struct command *self, int argc, char **argv);
int volume_adopt(const struct command *self, int argc, char **argv);
int volume_forget(const struct command *self, int argc, char **argv);
int volume_start(const struct command *self, int argc, char **argv);
int volume_stop(const struct command *self, int argc, char **argv);
int volume_list(const struct command *self, int argc, char **argv);
int volume_move(const struct command *self, int argc, char **argv);
int volume_redirect_on(const struct command *self, int argc, char **argv);
int volume_redirect_off(const struct command *self, int argc, char **argv);
int volume_prefer(const struct command *self, int argc, char **argv);
int image_create(const struct command *self, int argc, char **argv);
int image_remove(const struct command *self, int argc, char **argv);
int image_list(const struct command *self, int argc, char **argv);
int image_attach(const struct command *self, int argc, char **argv);
int image_detach(const struct command *self, int argc, char **argv);
int maintenance_enter(const struct command *self, int argc, char **argv);
int maintenance_leave(const struct command *self, int argc, char **argv);
int fence_always(const struct command *self, int argc, char **argv);
int fence_on_demand(const struct command *self, int argc, char **argv);
int fence_show(const struct command *self, int argc, char **argv);

int kernel_volume_add(const struct command *self, int argc, char **argv);
int kernel_volume_set(const struct command *self, int argc, char **argv);
int kernel_volume_resize(const struct command *self, int argc, char **argv);
int kernel_volume_remove(const struct command *self, int argc, char **argv);
int kernel_volume_show(const struct command *self, int argc, char **argv);
int kernel_image_add(const struct command *self, int argc, char **argv);
int kernel_image_set(const struct command *self, int argc, char **argv);
int kernel_image_resize(const struct command *self, int argc, char **argv);
int kernel_image_remove(const struct command *self, int argc, char **argv);
int kernel_image_recall(const struct command *self, int argc, char **argv);
int kernel_image_share_begin(const struct command *self, int argc, char **argv);
int kernel_image_share_end(const struct command *self, int argc, char **argv);
int kernel_image_show(const struct command *self, int argc, char **argv);
int kernel_map_set(const struct command *self, int argc, char **argv);
int kernel_map_clear(const struct command *self, int argc, char **argv);
int kernel_map_show(const struct command *self, int argc, char **argv);
int kernel_session_listen(const struct command *self, int argc, char **argv);
int kernel_session_connect(const struct command *self, int argc, char **argv);
int kernel_session_remove(const struct command *self, int argc, char **argv);
int kernel_session_show(const struct command *self, int argc, char **argv);
int kernel_stats(const struct command *self, int argc, char **argv);
int kernel_top(const struct command *self, int argc, char **argv);
int kernel_events(const struct command *self, int argc, char **argv);
int kernel_table(const struct command *self, int argc, char **argv);
int lun_show(const struct command *self, int argc, char **argv);
int check_lun(const struct command *self, int argc, char **argv);

int cluster_init(const struct command *self, int argc, char **argv);
int cluster_invite(const struct command *self, int argc, char **argv);
int cluster_join(const struct command *self, int argc, char **argv);
int cluster_show(const struct command *self, int argc, char **argv);

#endif
