/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing to an image's file so that its map changes rarely, and safely.
 *
 * A write into a hole or an unwritten range prepares the whole chunk: what
 * the file system does not have as data is written, with the new data or with
 * zeroes, and made stable, before the write is acknowledged (I1). What is
 * data already is touched only by the write itself: another node may be
 * writing it directly. Blocks that are shared with another file are copied.
 * Then the chunk's extents are granted to the writer, and later writes go
 * direct. Chunks are prepared ahead of a writer that goes from chunk to chunk.
 */
#ifndef COVOL_CHUNK_H
#define COVOL_CHUNK_H

#include <linux/types.h>

/* A volume's chunk size, bytes: a power of two within these. */
#define COVOL_CHUNK_MIN	(64u << 10)
#define COVOL_CHUNK_MAX	(16u << 20)

struct block_device;
struct covol_chunks;
struct covol_object;
struct covol_req;
struct seq_file;

struct covol_chunks *covol_chunks_create(struct covol_object *obj);
void covol_chunks_start(struct covol_chunks *chunks);
int covol_chunks_stop(struct covol_chunks *chunks, bool wait);
void covol_chunks_wake(struct covol_object *obj);
void covol_chunks_show(struct seq_file *m, struct covol_object *obj);

int covol_chunks_resize(struct covol_object *obj, u64 old, u64 size);

int covol_chunks_share_begin(struct covol_object *obj, const char **why);
int covol_chunks_share_end(struct covol_object *obj, const char **why);
bool covol_chunks_sharing(struct covol_object *obj);

struct block_device *covol_chunk_enter(struct covol_req *req, sector_t *place);
void covol_chunk_leave(struct covol_req *req);
int covol_chunk_placed(struct covol_req *req);
int covol_chunk_write(struct covol_req *req);
int covol_chunk_zero(struct covol_req *req);
int covol_chunk_discard(struct covol_req *req);

#endif /* COVOL_CHUNK_H */
