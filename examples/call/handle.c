/* Asks payhook's Event Service about one webhook, in JSON, by libcurl. (A C program can also
 * have the engine without the server: docs/embed.md.) Prints the answer as it comes. usage:
 * STRIPE_WHSEC=... ./handle 127.0.0.1:8080 SIGNATURE <body.json build: cc handle.c $(pkg-config
 * --cflags --libs libcurl) -o handle */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1024 * 1024, ANSWER_MAX = 256 * 1024 };

static char answer[ANSWER_MAX];
static size_t answer_len;

static size_t keep(char *bytes, size_t one, size_t count, void *ctx)
{
    (void)one, (void)ctx;
    if (count > sizeof answer - 1 - answer_len)
        return 0;
    memcpy(answer + answer_len, bytes, count);
    answer_len += count;
    return count;
}

static void put_base64(FILE *out, const unsigned char *bytes, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned long three = (unsigned long)bytes[i] << 16 |
                              (i + 1 < len ? (unsigned long)bytes[i + 1] << 8 : 0) |
                              (i + 2 < len ? bytes[i + 2] : 0);
        fputc(alphabet[three >> 18], out);
        fputc(alphabet[three >> 12 & 63], out);
        fputc(i + 1 < len ? alphabet[three >> 6 & 63] : '=', out);
        fputc(i + 2 < len ? alphabet[three & 63] : '=', out);
    }
}

int main(int argc, char **argv)
{
    static unsigned char body[BODY_MAX];
    const char *secret = getenv("STRIPE_WHSEC");
    size_t len = fread(body, 1, sizeof body, stdin), call_len = 0;
    char url[256], *call = NULL;
    FILE *out = open_memstream(&call, &call_len);
    CURL *curl = curl_easy_init();
    if (argc != 3 || secret == NULL || out == NULL || curl == NULL)
        return 2;
    /* Signature and secret hold no character that JSON would escape. */
    fprintf(out,
            "{\"request_details\":{\"method\":\"HTTP_METHOD_POST\",\"uri\":\"/webhooks/stripe\","
            "\"headers\":{\"Stripe-Signature\":\"%s\"},\"body\":\"",
            argv[2]);
    put_base64(out, body, len);
    fprintf(out, "\"},\"webhook_secrets\":{\"secret\":\"%s\"}}", secret);
    fclose(out);

    snprintf(url, sizeof url, "http://%s/v1/handle", argv[1]);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "x-connector: stripe");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 5L);
    CURLcode sent = curl_easy_perform(curl);
    if (sent != CURLE_OK)
        fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(sent));
    puts(answer);
    int verified = sent == CURLE_OK && strstr(answer, "\"verdict\":\"VERIFIED\"") != NULL;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(call);
    return verified ? 0 : 1;
}
