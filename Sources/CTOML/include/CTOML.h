#ifndef CTOML_H
#define CTOML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What stands behind a key or in an array.
enum ctoml_kind {
    ctoml_table,
    ctoml_array,
    ctoml_text,
    ctoml_integer,
    ctoml_number,
    ctoml_truth,
    ctoml_date,
    ctoml_time,
    ctoml_date_time,
};

/// UTF-8 without a zero at its end; zeros may stand in it.
struct ctoml_string {
    const char *bytes;
    size_t count;
};

struct ctoml_value {
    enum ctoml_kind kind;
    /// Where it begins, a table with its header; from 1.
    uint32_t line;
    /// Empty for the root and for what stands in an array.
    struct ctoml_string key;
    /// Of a table or an array: how many values are in it. They follow, each with what is in it.
    size_t count;
    struct ctoml_string text;
    /// Of a truth 0 or 1.
    int64_t integer;
    double number;
};

/// Why a text was refused.
struct ctoml_fault {
    /// From 1; the column is 0 where none is to blame.
    uint32_t line, column;
    /// Ends with a zero, and before it where it would not fit.
    char reason[256];
};

struct ctoml_document;

/// Reads a text in TOML 1.0.
///
/// - depth_max: a value with more keys and elements on the way to it is refused.
/// Returns a null pointer, and the fault, for a text that is refused; else what is freed with ctoml_free.
struct ctoml_document *ctoml_parse(struct ctoml_string text, size_t depth_max, struct ctoml_fault *fault);

/// The values from the root on. They last as long as the document.
const struct ctoml_value *ctoml_values(const struct ctoml_document *document);
size_t ctoml_count(const struct ctoml_document *document);

void ctoml_free(struct ctoml_document *document);

#ifdef __cplusplus
}
#endif

#endif
