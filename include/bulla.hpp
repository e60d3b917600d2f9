/*
 * Sealed files for C++17: bulla.h with owners, exceptions and streams. Header only.
 *
 * Objects own what they stand for and can be moved, not copied. What goes wrong is thrown as
 * bulla::error, which carries the code. Thread rules are those of bulla.h: const functions of one
 * object may run in many threads at once.
 */
#ifndef BULLA_HPP
#define BULLA_HPP

#include "bulla.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#if defined(__cpp_lib_span)
#include <span>
#endif

namespace bulla {

/* What went wrong: a stable code, and what to do. */
class error : public std::runtime_error {
public:
    error(std::int32_t code, const std::string &message, std::string decision = {})
        : std::runtime_error(message), code_(code), decision_(std::move(decision)) {}

    /* One of BULLA_E_*. */
    std::int32_t code() const noexcept { return code_; }
    /* Its stable name, such as "not-sealed". */
    const char *name() const noexcept {
        const char *known = bulla_code_name(code_);
        return known ? known : "";
    }
    /* Of a denial by a policy: the decision as JSON; empty otherwise. */
    const std::string &decision() const noexcept { return decision_; }

    bool is_denied() const noexcept { return code_ >= 400 && code_ < 500; }
    bool is_tampered() const noexcept { return code_ >= 300 && code_ < 400; }

private:
    std::int32_t code_;
    std::string decision_;
};

namespace detail {

struct deleter {
    void operator()(bulla_error *p) const noexcept { bulla_error_free(p); }
    void operator()(bulla_session *p) const noexcept { bulla_session_free(p); }
    void operator()(bulla_file *p) const noexcept { bulla_file_free(p); }
    void operator()(bulla_writer *p) const noexcept { bulla_writer_free(p); }
    void operator()(bulla_sealer *p) const noexcept { bulla_sealer_free(p); }
    void operator()(char *p) const noexcept { bulla_string_free(p); }
};

template <class T> using owner = std::unique_ptr<T, deleter>;

/* Throws what `e` says, if the status does not say that all went well. */
inline void check(std::int32_t status, bulla_error *e) {
    if (status == BULLA_OK) return;
    owner<bulla_error> owned(e);
    const char *decision = bulla_error_decision(e);
    throw error(status, bulla_error_message(e), decision ? decision : "");
}

/* Runs a call with a place for its error. The call ends before the error is looked at. */
template <class Call> void call(Call &&c) {
    bulla_error *e = nullptr;
    std::int32_t status = c(&e);
    check(status, e);
}

template <class T, class Call> owner<T> make(Call &&c) {
    T *made = nullptr;
    call([&](bulla_error **e) { return c(&made, e); });
    return owner<T>(made);
}

template <class Call> std::string text(Call &&c) {
    owner<char> owned = make<char>(std::forward<Call>(c));
    return owned ? std::string(owned.get()) : std::string();
}

template <class T, class Call> T value(Call &&c) {
    T got{};
    call([&](bulla_error **e) { return c(&got, e); });
    return got;
}

inline const char *or_null(const std::optional<std::string> &s) { return s ? s->c_str() : nullptr; }

inline std::vector<const char *> pointers(const std::vector<std::string> &texts) {
    std::vector<const char *> out;
    out.reserve(texts.size());
    for (const auto &each : texts) out.push_back(each.c_str());
    return out;
}

#ifdef _WIN32
inline const std::uint16_t *wide(const std::filesystem::path &p) {
    return reinterpret_cast<const std::uint16_t *>(p.c_str());
}
#endif

} // namespace detail

/* Throws if the library that was loaded is not the one that this header is for. Call it once. */
inline void require_abi() {
    if (bulla_abi_version() != BULLA_ABI_VERSION)
        throw error(BULLA_E_NOT_SUPPORTED, "the bulla library that was loaded has another ABI");
}

/* The version of the library. */
inline std::string version() { return bulla_version(); }

/* Whether these first bytes, 8 or more, are those of a sealed file. Proves nothing. */
inline bool is_sealed(const void *start, std::size_t len) {
    return bulla_is_sealed(start, len) != 0;
}

enum class right : std::uint32_t {
    view = BULLA_RIGHT_VIEW,
    edit = BULLA_RIGHT_EDIT,
    print = BULLA_RIGHT_PRINT,
    copy = BULLA_RIGHT_COPY,
    capture = BULLA_RIGHT_CAPTURE,
    export_ = BULLA_RIGHT_EXPORT
};

/* What must be done while a right is used. */
struct duties {
    std::uint32_t bits = 0; /* BULLA_DUTY_* */
    std::string columns;    /* JSON array of those to hide; empty if there are none */

    bool has(std::uint32_t duty) const noexcept { return (bits & duty) != 0; }
};

/* Name, type and times (milliseconds since 1970) of the original. */
struct metadata {
    std::optional<std::string> name;
    std::optional<std::string> media_type;
    std::optional<std::int64_t> created;
    std::optional<std::int64_t> modified;
};

namespace detail {

inline bulla_metadata c_metadata(const metadata &m) {
    bulla_metadata out{};
    out.struct_size = sizeof out;
    out.name = or_null(m.name);
    out.media_type = or_null(m.media_type);
    if (m.created) out.present |= BULLA_METADATA_CREATED;
    if (m.modified) out.present |= BULLA_METADATA_MODIFIED;
    out.created = m.created.value_or(0);
    out.modified = m.modified.value_or(0);
    return out;
}

} // namespace detail

/* An envelope that the program keeps itself. Functions that throw fail the call with
 * BULLA_E_IO. They run in the threads that read. */
class source {
public:
    virtual ~source() = default;
    /* Reads up to `len` bytes at `offset`; 0 only at the end. */
    virtual std::size_t read_at(std::uint64_t offset, void *buf, std::size_t len) = 0;
    virtual std::uint64_t size() = 0;
};

/* Told how far it is; false stops the work with BULLA_E_CANCELLED, and so does what it throws. */
using progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

namespace detail {

inline bulla_source c_source(std::unique_ptr<source> s) {
    bulla_source out{};
    out.struct_size = sizeof out;
    out.read_at = [](void *user, std::uint64_t offset, void *buf, std::size_t len,
                     std::size_t *out_read) -> std::int32_t {
        try {
            *out_read = static_cast<source *>(user)->read_at(offset, buf, len);
            return 0;
        } catch (...) {
            return 1;
        }
    };
    out.size = [](void *user, std::uint64_t *out_size) -> std::int32_t {
        try {
            *out_size = static_cast<source *>(user)->size();
            return 0;
        } catch (...) {
            return 1;
        }
    };
    out.close = [](void *user) { delete static_cast<source *>(user); };
    out.user = s.release();
    return out;
}

inline bulla_progress_fn c_progress(const progress &p) {
    if (!p) return nullptr;
    return [](void *user, std::uint64_t done, std::uint64_t total) -> std::int32_t {
        try {
            return (*static_cast<const progress *>(user))(done, total) ? 0 : 1;
        } catch (...) {
            return 1;
        }
    };
}

inline void *c_user(const progress &p) { return const_cast<progress *>(&p); }

} // namespace detail

/* What a session starts with; bulla_session_options says more. */
struct session_options {
    std::filesystem::path home; /* empty: $BULLA_HOME, else the platform's own place */
    std::optional<std::string> passphrase;
    std::optional<std::string> badge;
    std::vector<std::string> attestations;
    std::vector<std::string> duties;
    std::optional<std::string> ticket;
    std::optional<std::string> asserted; /* JSON */
};

/* A device at work. */
class session {
public:
    explicit session(const session_options &options = {}) {
        bulla_session_options o{};
        auto attestations = detail::pointers(options.attestations);
        auto duty_names = detail::pointers(options.duties);
        o.struct_size = sizeof o;
        if (!options.home.empty()) {
#ifdef _WIN32
            o.home_w = detail::wide(options.home);
#else
            o.home = options.home.c_str();
#endif
        }
        o.passphrase = detail::or_null(options.passphrase);
        o.badge = detail::or_null(options.badge);
        o.attestations = attestations.data();
        o.attestation_count = attestations.size();
        o.duties = duty_names.data();
        o.duty_count = duty_names.size();
        o.ticket = detail::or_null(options.ticket);
        o.asserted = detail::or_null(options.asserted);
        p_ = detail::make<bulla_session>(
            [&](bulla_session **out, bulla_error **e) { return bulla_session_start(&o, out, e); });
    }

    void refresh() const {
        detail::call([&](bulla_error **e) { return bulla_session_refresh(get(), e); });
    }

    void use_badge(const std::string &badge,
                   const std::vector<std::string> &attestations = {}) const {
        auto list = detail::pointers(attestations);
        detail::call([&](bulla_error **e) {
            return bulla_session_use_badge(get(), badge.c_str(), list.data(), list.size(), e);
        });
    }

    /* What would be decided, as JSON; `facts`, as JSON, stand in place of the session's own. */
    std::string explain(const std::string &path,
                        const std::optional<std::string> &facts = {}) const {
        return detail::text([&](char **out, bulla_error **e) {
            return bulla_session_explain(get(), path.c_str(), detail::or_null(facts), out, e);
        });
    }

    /* The thumbprint of the device. */
    std::string device() const {
        return detail::text([&](char **out, bulla_error **e) {
            return bulla_session_device(get(), out, e);
        });
    }

    /* Verifies the audit trail of the session's home; gives the report as JSON. */
    std::string verify_trail() const {
        return detail::text([&](char **out, bulla_error **e) {
            return bulla_trail_verify(get(), nullptr, out, e);
        });
    }

    const bulla_session *get() const noexcept { return p_.get(); }

private:
    detail::owner<bulla_session> p_;
};

/* New content of a sealed file. Destroyed without finish(), it leaves nothing behind: also while
 * an exception flies. */
class writer {
public:
    explicit writer(bulla_writer *adopted) : p_(adopted) {}

    void write(const void *data, std::size_t len) {
        detail::call([&](bulla_error **e) { return bulla_writer_write(p_.get(), data, len, e); });
    }
    void write(std::string_view data) { write(data.data(), data.size()); }
#if defined(__cpp_lib_span)
    void write(std::span<const std::byte> data) { write(data.data(), data.size()); }
#endif

    /* Puts the file in place. */
    void finish() {
        detail::call([&](bulla_error **e) { return bulla_writer_finish(p_.get(), e); });
    }

    std::string file_id() const {
        return detail::value<const char *>([&](const char **out, bulla_error **e) {
            return bulla_writer_file_id(p_.get(), out, e);
        });
    }

private:
    detail::owner<bulla_writer> p_;
};

/* How a file is opened. */
struct open_options {
    right wanted = right::view;
    bool older = false;
};

/* An open sealed file. */
class file {
public:
    file(const session &s, const std::filesystem::path &path, open_options options = {}) {
        bulla_open_options o = c_options(options);
        p_ = detail::make<bulla_file>([&](bulla_file **out, bulla_error **e) {
#ifdef _WIN32
            return bulla_file_open_w(s.get(), detail::wide(path), &o, out, e);
#else
            return bulla_file_open(s.get(), path.c_str(), &o, out, e);
#endif
        });
    }

    file(const session &s, std::unique_ptr<source> from, open_options options = {}) {
        bulla_open_options o = c_options(options);
        bulla_source given = detail::c_source(std::move(from));
        p_ = detail::make<bulla_file>([&](bulla_file **out, bulla_error **e) {
            return bulla_file_open_source(s.get(), &given, &o, out, e);
        });
    }

    std::uint64_t size() const {
        return detail::value<std::uint64_t>(
            [&](std::uint64_t *out, bulla_error **e) { return bulla_file_size(get(), out, e); });
    }

    /* Reads at `offset`; fewer bytes than `len` only at the end. */
    std::size_t pread(std::uint64_t offset, void *buf, std::size_t len) const {
        return detail::value<std::size_t>([&](std::size_t *out, bulla_error **e) {
            return bulla_file_pread(get(), offset, buf, len, out, e);
        });
    }

    std::size_t read(void *buf, std::size_t len) {
        return detail::value<std::size_t>([&](std::size_t *out, bulla_error **e) {
            return bulla_file_read(p_.get(), buf, len, out, e);
        });
    }
#if defined(__cpp_lib_span)
    std::size_t pread(std::uint64_t offset, std::span<std::byte> buf) const {
        return pread(offset, buf.data(), buf.size());
    }
    std::size_t read(std::span<std::byte> buf) { return read(buf.data(), buf.size()); }
#endif

    std::uint64_t seek(std::int64_t offset, std::int32_t whence = BULLA_SEEK_SET) {
        return detail::value<std::uint64_t>([&](std::uint64_t *out, bulla_error **e) {
            return bulla_file_seek(p_.get(), offset, whence, out, e);
        });
    }

    /* The sum of BULLA_RIGHT_*. */
    std::uint32_t rights() const {
        return detail::value<std::uint32_t>(
            [&](std::uint32_t *out, bulla_error **e) { return bulla_file_rights(get(), out, e); });
    }
    bool may(right r) const { return (rights() & static_cast<std::uint32_t>(r)) != 0; }

    bulla::duties duties(right r) const {
        bulla::duties out;
        out.columns = detail::text([&](char **columns, bulla_error **e) {
            return bulla_file_duties(get(), static_cast<std::uint32_t>(r), &out.bits, columns, e);
        });
        return out;
    }

    /* Until when (exclusive) reads succeed: Unix seconds. */
    std::optional<std::uint64_t> until() const {
        auto end = detail::value<std::uint64_t>(
            [&](std::uint64_t *out, bulla_error **e) { return bulla_file_until(get(), out, e); });
        return end == BULLA_NO_END ? std::nullopt : std::optional<std::uint64_t>(end);
    }

    std::string decision() const {
        return detail::text(
            [&](char **out, bulla_error **e) { return bulla_file_decision(get(), out, e); });
    }

    std::string watermark() const {
        return detail::text(
            [&](char **out, bulla_error **e) { return bulla_file_watermark(get(), out, e); });
    }

    bulla::metadata metadata() const {
        bulla_metadata m{};
        m.struct_size = sizeof m;
        detail::call([&](bulla_error **e) { return bulla_file_metadata(get(), &m, e); });
        bulla::metadata out;
        if (m.name) out.name = m.name;
        if (m.media_type) out.media_type = m.media_type;
        if (m.present & BULLA_METADATA_CREATED) out.created = m.created;
        if (m.present & BULLA_METADATA_MODIFIED) out.modified = m.modified;
        return out;
    }

    std::string id() const {
        return detail::value<const char *>(
            [&](const char **out, bulla_error **e) { return bulla_file_id(get(), out, e); });
    }

    std::uint64_t revision() const {
        return detail::value<std::uint64_t>([&](std::uint64_t *out, bulla_error **e) {
            return bulla_file_revision(get(), out, e);
        });
    }

    /* Checks a right and records that it is used now: before the program lets it happen. */
    void use(right r) const {
        detail::call([&](bulla_error **e) {
            return bulla_file_use(get(), static_cast<std::uint32_t>(r), e);
        });
    }

    /* Writes the plain content to a file; gives the number of bytes. */
    std::uint64_t export_to(const std::filesystem::path &path, bool replace = false,
                            const progress &tell = {}) const {
        bulla_export_options o{};
        o.struct_size = sizeof o;
        o.flags = replace ? BULLA_REPLACE : 0;
        o.progress = detail::c_progress(tell);
        o.progress_user = detail::c_user(tell);
        return detail::value<std::uint64_t>([&](std::uint64_t *out, bulla_error **e) {
#ifdef _WIN32
            return bulla_file_export_w(get(), detail::wide(path), &o, out, e);
#else
            return bulla_file_export(get(), path.c_str(), &o, out, e);
#endif
        });
    }

    /* Starts a save; without metadata they stay. */
    writer save() const { return save_with(nullptr); }
    writer save(const bulla::metadata &m) const {
        bulla_metadata c = detail::c_metadata(m);
        return save_with(&c);
    }

    const bulla_file *get() const noexcept { return p_.get(); }

private:
    static bulla_open_options c_options(open_options options) {
        bulla_open_options o{};
        o.struct_size = sizeof o;
        o.flags = options.older ? BULLA_OLDER : 0;
        o.right = static_cast<std::uint32_t>(options.wanted);
        return o;
    }

    writer save_with(const bulla_metadata *m) const {
        return writer(detail::make<bulla_writer>([&](bulla_writer **out, bulla_error **e) {
                          return bulla_file_save(get(), m, out, e);
                      }).release());
    }

    detail::owner<bulla_file> p_;
};

/* What an issuer's sealer is made of; bulla_sealer_options says more. */
struct sealer_options {
    std::filesystem::path home; /* empty: as for sessions */
    std::optional<std::string> passphrase;
    const session *recorded_by = nullptr;
    std::string label;
    std::string policy;     /* JSON */
    std::string recipients; /* public lines */
    bool batch = false;
    bool mixed_kinds = false;
};

/* How one file is sealed. */
struct seal_options {
    std::optional<bulla::metadata> metadata;
    bool replace = false;
    progress tell;
};

/* Makes envelopes for the same recipients under the same policy. */
class sealer {
public:
    explicit sealer(const sealer_options &options) {
        bulla_sealer_options o{};
        o.struct_size = sizeof o;
        o.flags = (options.batch ? BULLA_BATCH : 0u) | (options.mixed_kinds ? BULLA_MIXED_KINDS : 0u);
        if (!options.home.empty()) {
#ifdef _WIN32
            o.home_w = detail::wide(options.home);
#else
            o.home = options.home.c_str();
#endif
        }
        o.passphrase = detail::or_null(options.passphrase);
        o.session = options.recorded_by ? options.recorded_by->get() : nullptr;
        o.label = options.label.c_str();
        o.policy = options.policy.data();
        o.policy_len = options.policy.size();
        o.recipients = options.recipients.c_str();
        p_ = detail::make<bulla_sealer>(
            [&](bulla_sealer **out, bulla_error **e) { return bulla_sealer_new(&o, out, e); });
    }

    /* Under a template; without a permit, by the one of the session's home. */
    sealer(const session &s, const std::string &template_text,
           const std::optional<std::string> &permit = {}, bool batch = false)
        : p_(detail::make<bulla_sealer>([&](bulla_sealer **out, bulla_error **e) {
              return bulla_sealer_from_template(s.get(), template_text.c_str(),
                                                detail::or_null(permit), batch ? BULLA_BATCH : 0,
                                                out, e);
          })) {}

    writer begin(const std::filesystem::path &path, const seal_options &options = {}) const {
        c_options o(options);
        return writer(detail::make<bulla_writer>([&](bulla_writer **out, bulla_error **e) {
#ifdef _WIN32
                          return bulla_sealer_begin_w(get(), detail::wide(path), &o.it, out, e);
#else
                          return bulla_sealer_begin(get(), path.c_str(), &o.it, out, e);
#endif
                      }).release());
    }

    /* Seals a plain file, which stays; gives the new file's id. */
    std::string seal_file(const std::filesystem::path &from, const std::filesystem::path &to,
                          const seal_options &options = {}) const {
        c_options o(options);
        return detail::text([&](char **out, bulla_error **e) {
#ifdef _WIN32
            return bulla_sealer_seal_file_w(get(), detail::wide(from), detail::wide(to), &o.it, out,
                                            e);
#else
            return bulla_sealer_seal_file(get(), from.c_str(), to.c_str(), &o.it, out, e);
#endif
        });
    }

    const bulla_sealer *get() const noexcept { return p_.get(); }

private:
    /* Points into itself and into what it was made of. */
    struct c_options {
        bulla_metadata metadata{};
        bulla_seal_options it{};

        explicit c_options(const seal_options &options) {
            it.struct_size = sizeof it;
            it.flags = options.replace ? BULLA_REPLACE : 0;
            if (options.metadata) {
                metadata = detail::c_metadata(*options.metadata);
                it.metadata = &metadata;
            }
            it.progress = detail::c_progress(options.tell);
            it.progress_user = detail::c_user(options.tell);
        }
        c_options(const c_options &) = delete;
        c_options &operator=(const c_options &) = delete;
    };

    detail::owner<bulla_sealer> p_;
};

/* What an envelope says of itself in the clear. */
struct inspection {
    std::string json;
    std::uint64_t content_size = 0;
};

inline inspection inspect(const std::filesystem::path &path) {
    inspection out;
    out.json = detail::text([&](char **json, bulla_error **e) {
#ifdef _WIN32
        return bulla_inspect_w(detail::wide(path), &out.content_size, json, e);
#else
        return bulla_inspect(path.c_str(), &out.content_size, json, e);
#endif
    });
    return out;
}

/* The content of a file as a stream buffer: reads and seeks. */
class file_buffer : public std::streambuf {
public:
    explicit file_buffer(file opened) : file_(std::move(opened)) {}
    ~file_buffer() override { wipe(); }

    file &opened() noexcept { return file_; }

protected:
    int_type underflow() override {
        if (gptr() == egptr()) {
            /* What throws leaves all as it was: the next read is of the same part. */
            std::uint64_t next = at_ + static_cast<std::uint64_t>(egptr() - eback());
            std::size_t n = file_.pread(next, buffer_.data(), buffer_.size());
            at_ = next;
            setg(buffer_.data(), buffer_.data(), buffer_.data() + n);
            if (n == 0) return traits_type::eof();
        }
        return traits_type::to_int_type(*gptr());
    }

    pos_type seekoff(off_type offset, std::ios_base::seekdir from,
                     std::ios_base::openmode which) override {
        off_type base = 0;
        if (from == std::ios_base::cur)
            base = static_cast<off_type>(at_) + (gptr() - eback());
        else if (from == std::ios_base::end)
            base = static_cast<off_type>(file_.size());
        return seekpos(pos_type(base + offset), which);
    }

    pos_type seekpos(pos_type position, std::ios_base::openmode) override {
        if (off_type(position) < 0) return pos_type(off_type(-1));
        at_ = static_cast<std::uint64_t>(off_type(position));
        setg(nullptr, nullptr, nullptr);
        return position;
    }

private:
    void wipe() noexcept {
        volatile char *p = buffer_.data();
        for (std::size_t i = 0; i < buffer_.size(); i++) p[i] = 0;
    }

    file file_;
    std::uint64_t at_ = 0; /* where the buffer stands in the file */
    std::array<char, 16384> buffer_{};
};

/* The content of a file as an input stream. What fails is thrown, so that a changed file never
 * looks like a short one. */
class ifstream : public std::istream {
public:
    explicit ifstream(file opened) : std::istream(nullptr), buffer_(std::move(opened)) {
        rdbuf(&buffer_);
        exceptions(std::ios_base::badbit);
    }
    ifstream(const session &s, const std::filesystem::path &path) : ifstream(file(s, path)) {}

    file &opened() noexcept { return buffer_.opened(); }

private:
    file_buffer buffer_;
};

/* A writer as a stream buffer. */
class writer_buffer : public std::streambuf {
public:
    explicit writer_buffer(writer w) : writer_(std::move(w)) {
        setp(buffer_.data(), buffer_.data() + buffer_.size());
    }
    ~writer_buffer() override {
        volatile char *p = buffer_.data();
        for (std::size_t i = 0; i < buffer_.size(); i++) p[i] = 0;
    }

    void finish() {
        drain();
        writer_.finish();
    }

protected:
    int_type overflow(int_type c) override {
        drain();
        if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
        return traits_type::not_eof(c);
    }
    int sync() override {
        drain();
        return 0;
    }

private:
    void drain() {
        writer_.write(pbase(), static_cast<std::size_t>(pptr() - pbase()));
        setp(buffer_.data(), buffer_.data() + buffer_.size());
    }

    writer writer_;
    std::array<char, 16384> buffer_{};
};

/* A writer as an output stream. Without finish() nothing is left behind. */
class ofstream : public std::ostream {
public:
    explicit ofstream(writer w) : std::ostream(nullptr), buffer_(std::move(w)) {
        rdbuf(&buffer_);
        exceptions(std::ios_base::badbit);
    }

    void finish() { buffer_.finish(); }

private:
    writer_buffer buffer_;
};

} // namespace bulla

#endif
