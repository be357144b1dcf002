/* The settings as rows: one for each thing that can be set. Reading, the environment, checking,
 * `config show`, what a reload may change, help and docs/config.md all come from here. */
#ifndef PH_CONFIG_SETTINGS_H
#define PH_CONFIG_SETTINGS_H

#include "config/config.h"

/* What `config show` writes for a value in a URL's query. */
#define PH_CONFIG_HIDDEN "***"

enum ph_setting_kind {
    PH_SET_TEXT,      /* struct ph_slice */
    PH_SET_PATH,      /* struct ph_slice, resolved */
    PH_SET_LISTEN,    /* struct ph_slice; none: absent */
    PH_SET_URL,       /* struct ph_slice; words: its schemes */
    PH_SET_WORD,      /* int32_t: the place in words, or the vocabulary's number */
    PH_SET_BITS,      /* uint32_t: a bit for each of words */
    PH_SET_FLAG,      /* bool */
    PH_SET_COUNT,     /* int64_t */
    PH_SET_SIZE,      /* int64_t, bytes */
    PH_SET_DURATION,  /* int64_t, ms */
    PH_SET_TIME,      /* int64_t, unix ms */
    PH_SET_KEY,       /* struct ph_config_key */
    PH_SET_TEXTS,     /* PH_MANY(struct ph_slice) */
    PH_SET_DURATIONS, /* PH_MANY(int64_t) */
    PH_SET_NETWORKS,  /* PH_MANY(struct ph_network) */
    PH_SET_FIELDS,    /* PH_MANY(struct ph_config_member) */
    PH_SET_LIST,  /* PH_MANY of the scope `of`; a text is short for an entry with its first row only
                   */
    PH_SET_NAMED, /* PH_MANY of the scope `of`, each with a name */
    PH_SET_KIND_COUNT,
};

/* Where a row belongs: the file itself, or an entry of something that has several. */
enum ph_scope {
    PH_IN_CONFIG,
    PH_IN_ENDPOINT,
    PH_IN_ACCOUNT,
    PH_IN_SECRET,
    PH_IN_DESTINATION,
    PH_IN_TOKEN,
    PH_SCOPE_COUNT,
};

struct ph_setting {
    const char *key; /* in its scope: "tls.certificate" is a map in a map */
    enum ph_setting_kind kind;
    uint16_t offset;      /* of its value in the scope's struct */
    const char *fallback; /* the default as one would write it; NULL: none */
    const char *unset;    /* what the help says where there is no default */
    int64_t min,
        max; /* COUNT, SIZE, DURATION(S); the number of entries of what holds several (min 0) */
    const char
        *zero; /* a word for 0, which min does not hold back, or for an absent text; NULL: none */
    const char *unit;              /* of a COUNT */
    const struct ph_slice *words;  /* WORD, BITS, URL: ended by {NULL,0} */
    enum ph_vocabulary vocabulary; /* WORD: its words and numbers instead */
    enum ph_scope of;              /* LIST, NAMED */
    uint8_t kinds;                 /* of destinations that know it (enum ph_config_kind); 0: all */
    bool required;
    bool restart;    /* a change of it takes a restart */
    bool in_data;    /* PATH: relative to the data folder */
    bool place;      /* it says where a running payhook is found */
    const char *env; /* the variable; `*` stands for the entry's name; NULL: in the file only */
    const char *help;
};

struct ph_scope_rows {
    const char *title; /* "endpoints.NAME." */
    const struct ph_setting *rows;
    size_t count, bytes; /* bytes of the scope's struct, which begins with struct ph_config_entry */
};
extern const struct ph_scope_rows ph_scopes[PH_SCOPE_COUNT];

/* A value of several, whatever they are. */
struct ph_many {
    const void *items;
    size_t count;
};

static inline const void *ph_setting_in(const struct ph_setting *row, const void *scope)
{
    return (const char *)scope + row->offset;
}
struct ph_many ph_setting_many(const struct ph_setting *row, const void *scope);
/* The words of a WORD or BITS row, from 0; false: there are no more. */
bool ph_setting_word(const struct ph_setting *row, size_t at, struct ph_slice *ret_word,
                     int32_t *ret_number);
/* The row of that key; NULL: none. */
const struct ph_setting *ph_setting_find(enum ph_scope scope, struct ph_slice key);

/* The settings for a person, from the rows: all of them, or those whose path begins with `path`;
 * absent: none does (or no memory). (manual.c) */
struct ph_slice ph_config_help(struct ph_arena *arena, struct ph_slice path);
/* docs/config.md. */
struct ph_slice ph_config_manual(struct ph_arena *arena);

#endif
