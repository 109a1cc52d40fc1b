/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JPEG by libjpeg-turbo's classic interface. The library reports errors by longjmp; the jump stays within
 * jpeg_writer_write, which holds no resource of its own across library calls.
 */
#include "encoder/codec/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "base/mem.h"
#include "encoder/codec.h"

#define STEP 32768

struct jpeg_writer {
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	struct jpeg_destination_mgr dest;
	struct pst_buf *out;
	jmp_buf escape;
	bool is_thrifty, has_standard;
	JHUFF_TBL standard[4]; /* as jpeg_set_defaults made them first */
	char reason[JMSG_LENGTH_MAX];
};

static struct jpeg_writer *self_of(j_common_ptr c)
{
	return c->client_data;
}

static void on_error(j_common_ptr c)
{
	struct jpeg_writer *j = self_of(c);

	c->err->format_message(c, j->reason);
	longjmp(j->escape, 1);
}

static void on_message(j_common_ptr c)
{
	(void)c; /* warnings are of no use to anybody here */
}

static void open_window(struct jpeg_writer *j)
{
	uint8_t *at = pst_buf_reserve(j->out, STEP);

	if (!at) {
		snprintf(j->reason, sizeof(j->reason), "no room for the output");
		longjmp(j->escape, 1);
	}
	j->dest.next_output_byte = at;
	j->dest.free_in_buffer = STEP;
}

static void dest_init(j_compress_ptr c)
{
	open_window(self_of((j_common_ptr)c));
}

static boolean dest_full(j_compress_ptr c)
{
	struct jpeg_writer *j = self_of((j_common_ptr)c);

	pst_buf_commit(j->out, STEP);
	open_window(j);
	return TRUE;
}

static void dest_term(j_compress_ptr c)
{
	struct jpeg_writer *j = self_of((j_common_ptr)c);

	pst_buf_commit(j->out, STEP - j->dest.free_in_buffer);
}

struct jpeg_writer *jpeg_writer_create(void)
{
	struct jpeg_writer *j = pst_zalloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->c.err = jpeg_std_error(&j->errors);
	j->errors.error_exit = on_error;
	j->errors.output_message = on_message;
	j->c.client_data = j;
	if (setjmp(j->escape)) {
		free(j);
		return NULL;
	}
	jpeg_create_compress(&j->c);
	j->dest.init_destination = dest_init;
	j->dest.empty_output_buffer = dest_full;
	j->dest.term_destination = dest_term;
	j->c.dest = &j->dest;
	return j;
}

void jpeg_writer_destroy(struct jpeg_writer *j)
{
	if (!j)
		return;

	jpeg_destroy_compress(&j->c);
	free(j);
}

/*
 * A picture's own tables stay behind it, jpeg_set_defaults leaves those that are there, and they have no codes for what that picture had not:
 * the next one of the standard tables gets them back.
 */
static void restore_tables(struct jpeg_writer *j)
{
	JHUFF_TBL *const tables[] = { j->c.dc_huff_tbl_ptrs[0], j->c.dc_huff_tbl_ptrs[1], j->c.ac_huff_tbl_ptrs[0], j->c.ac_huff_tbl_ptrs[1] };

	for (size_t i = 0; i < PST_ARRAY_LEN(tables); i++) {
		if (j->has_standard)
			*tables[i] = j->standard[i];
		else
			j->standard[i] = *tables[i];
	}
	j->has_standard = true;
}

static void set_up(struct jpeg_writer *j, const struct rect *r, int quality)
{
	j->c.image_width = (JDIMENSION)r->w;
	j->c.image_height = (JDIMENSION)r->h;
	j->c.input_components = 4;
	j->c.in_color_space = JCS_EXT_BGRX;
	jpeg_set_defaults(&j->c);
	restore_tables(j);
	jpeg_set_quality(&j->c, PST_MAX(quality, 1), TRUE);
	j->c.dct_method = quality >= 96 ? JDCT_ISLOW : JDCT_FASTEST;
	/* Huffman tables of the picture's own: a second pass, for half the bytes at low quality and a tenth less at high. */
	j->c.optimize_coding = j->is_thrifty;
	/* Half the chroma resolution is what hurts coloured edges; at high quality it is kept. */
	j->c.comp_info[0].h_samp_factor = quality >= 90 ? 1 : 2;
	j->c.comp_info[0].v_samp_factor = quality >= 90 ? 1 : 2;
}

void jpeg_writer_set_thrift(struct jpeg_writer *j, bool is_thrifty)
{
	j->is_thrifty = is_thrifty;
}

int jpeg_writer_write(struct jpeg_writer *j, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	j->out = out;
	if (setjmp(j->escape)) {
		jpeg_abort_compress(&j->c);
		return pst_err_set(err, PST_ELIMIT, "jpeg of %dx%d pixels: %s", r->w, r->h, j->reason);
	}

	set_up(j, r, quality);
	jpeg_start_compress(&j->c, TRUE);
	while (j->c.next_scanline < j->c.image_height) {
		/* The library reads the row only; its type lacks the const. */
		JSAMPROW row = (JSAMPROW)(uintptr_t)pixmap_at(p, r->x, r->y + (int32_t)j->c.next_scanline);

		jpeg_write_scanlines(&j->c, &row, 1);
	}
	jpeg_finish_compress(&j->c);
	return 0;
}

struct jpeg_codec {
	struct codec base;
	struct jpeg_writer *jpeg;
};

static void codec_jpeg_destroy(struct codec *c)
{
	struct jpeg_codec *self = pst_container_of(c, struct jpeg_codec, base);

	jpeg_writer_destroy(self->jpeg);
	free(self);
}

static struct codec *codec_jpeg_create(void)
{
	struct jpeg_codec *self = pst_zalloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->jpeg = jpeg_writer_create();
	if (!self->jpeg) {
		codec_jpeg_destroy(&self->base);
		return NULL;
	}
	return &self->base;
}

static int codec_jpeg_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	struct jpeg_codec *self = pst_container_of(c, struct jpeg_codec, base);

	return jpeg_writer_write(self->jpeg, p, r, quality, out, err);
}

static void codec_jpeg_set_thrift(struct codec *c, bool is_thrifty)
{
	jpeg_writer_set_thrift(pst_container_of(c, struct jpeg_codec, base)->jpeg, is_thrifty);
}

const struct codec_type codec_jpeg = {
	.name = "jpeg",
	.set_thrift = codec_jpeg_set_thrift,
	.create = codec_jpeg_create,
	.destroy = codec_jpeg_destroy,
	.encode = codec_jpeg_encode,
};
