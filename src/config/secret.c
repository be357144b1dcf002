/* Secrets and files that the configuration names. What a secret is never gets into a message. */
#include "config/reading.h"

enum { TLS_FILE_BYTES_MAX = 1024 * 1024, FOR_OTHERS = 0007 };

static const struct ph_slice by_env = PH_SI("env:"), by_file = PH_SI("file:");

bool ph_is_reference(struct ph_slice text)
{
    return ph_slice_starts(text, by_env) || ph_slice_starts(text, by_file);
}

bool ph_config_path(struct ph_reading *r, struct ph_slice text, struct ph_place at,
                    struct ph_slice path, enum ph_config_source source, struct ph_slice *ret)
{
    struct ph_slice credentials = PH_S("$CREDENTIALS_DIRECTORY/");
    if (ph_slice_starts(text, credentials)) {
        struct ph_slice folder = ph_config_env(r, PH_S("CREDENTIALS_DIRECTORY"));
        if (folder.len == 0) {
            ph_config_error(
                r, at, path,
                PH_PARTS(PH_S("CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with "
                              "LoadCredential=, and by hand it is the folder with these files")));
            return false;
        }
        *ret = ph_config_join(r, PH_PARTS(folder, PH_S("/"), ph_slice_from(text, credentials.len)));
    } else if (text.len == 0 || text.ptr[0] == '/') {
        *ret = ph_config_join(r, &text, 1);
    } else {
        *ret = ph_config_join(r, PH_PARTS(source == PH_FROM_FILE ? r->folder : PH_S(""), text));
    }
    return true;
}

static bool is_variable(struct ph_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

/* Somebody may have written the secret itself behind env: or file:. Names of variables are in
 * capitals as a rule. */
static struct ph_slice shown(struct ph_slice name, struct ph_slice otherwise)
{
    enum { SURE_BYTES_MAX = 20 };
    size_t base = 0;
    bool small = false;
    for (size_t i = 0; i < name.len; i++) {
        small = small || (name.ptr[i] >= 'a' && name.ptr[i] <= 'z');
        base = name.ptr[i] == '/' ? i + 1 : base;
    }
    return ph_looks_secret(ph_slice_from(name, base)) ||
                   (small && base == 0 && name.len > SURE_BYTES_MAX)
               ? otherwise
               : name;
}

static bool from_env(struct ph_reading *r, struct ph_slice name, struct ph_place at,
                     struct ph_slice path, struct ph_config_key *ret)
{
    if (!is_variable(name)) {
        ph_config_error(
            r, at, path,
            PH_PARTS(PH_S(
                "after env: comes the name of a variable (letters, digits, _), not its value")));
        return false;
    }
    ret->value = ph_config_env(r, name);
    if (!ph_slice_present(ret->value))
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("the environment variable "), shown(name, PH_S("it names")),
                                 PH_S(" is not set; set it for payhook's process")));
    return ph_slice_present(ret->value);
}

static const char *why_not(enum ph_status st)
{
    return st == PH_ERR_NOT_FOUND   ? "is not there"
           : st == PH_ERR_TOO_LARGE ? "is too large"
                                    : "cannot be read as a file by this user";
}

static void warn_of_readers(struct ph_reading *r, struct ph_slice file, uint32_t mode,
                            struct ph_place at, struct ph_slice path)
{
    if ((mode & FOR_OTHERS) != 0)
        ph_config_warn(
            r, at, path,
            PH_PARTS(file, PH_S(" is open to every user of this machine; chmod 600 it")));
}

static bool from_file(struct ph_reading *r, struct ph_slice file, struct ph_place at,
                      struct ph_slice path, struct ph_config_key *ret)
{
    uint32_t mode = 0;
    enum ph_status st =
        r->world->read_file(r->arena, file.ptr, PH_SECRET_BYTES_MAX, &ret->value, &mode);
    if (st == PH_ERR_NO_MEMORY) {
        r->no_memory = true;
        return false;
    }
    if (st != PH_OK) {
        ph_config_error(
            r, at, path,
            PH_PARTS(shown(file, PH_S("the file")), PH_S(" "), ph_slice_str(why_not(st))));
        return false;
    }
    warn_of_readers(r, file, mode, at, path);
    while (ret->value.len > 0 && (ret->value.ptr[ret->value.len - 1] == '\n' ||
                                  ret->value.ptr[ret->value.len - 1] == '\r'))
        ret->value.len--;
    return true;
}

bool ph_config_key_read(struct ph_reading *r, struct ph_slice text, struct ph_place at,
                        struct ph_slice path, enum ph_config_source source,
                        struct ph_config_key *ret)
{
    struct ph_config_key key = {0};
    bool good, is_env = ph_slice_starts(text, by_env);
    if (!ph_is_reference(text)) {
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("a secret is never written here: put it into a file or a "
                                      "variable and write file:PATH or env:NAME")));
        return false;
    }
    if (text.len > PH_URI_BYTES_MAX || memchr(text.ptr, '\0', text.len) != NULL) {
        ph_config_error(r, at, path, PH_PARTS(PH_S("no name is so long, or has a NUL in it")));
        return false;
    }
    if (is_env) {
        key.from = ph_config_join(r, &text, 1);
        good = from_env(r, ph_slice_from(text, by_env.len), at, path, &key);
    } else {
        struct ph_slice file = {0};
        good = ph_config_path(r, ph_slice_from(text, by_file.len), at, path, source, &file);
        key.from = ph_config_join(r, PH_PARTS(by_file, file));
        good = good && from_file(r, file, at, path, &key);
    }
    struct ph_slice trimmed = good ? ph_slice_trim(key.value) : key.value;
    if (good && trimmed.len == 0) {
        ph_config_error(r, at, path,
                        PH_PARTS(key.from, PH_S(" is empty; an empty secret verifies nothing")));
        return false;
    }
    if (good && trimmed.len != key.value.len)
        ph_config_warn(
            r, at, path,
            PH_PARTS(key.from, PH_S(" begins or ends in white space, which counts; is it meant?")));
    if (good)
        *ret = key;
    return good;
}

struct ph_slice ph_config_need_file(struct ph_reading *r, struct ph_slice file, bool secret,
                                    struct ph_place at, struct ph_slice path)
{
    struct ph_slice bytes = {0};
    uint32_t mode = 0;
    enum ph_status st = r->world->read_file(r->arena, file.ptr, TLS_FILE_BYTES_MAX, &bytes, &mode);
    if (st == PH_ERR_NO_MEMORY)
        r->no_memory = true;
    else if (st != PH_OK)
        ph_config_error(r, at, path, PH_PARTS(file, PH_S(" "), ph_slice_str(why_not(st))));
    else if (secret)
        warn_of_readers(r, file, mode, at, path);
    return st == PH_OK ? bytes : (struct ph_slice){0};
}
