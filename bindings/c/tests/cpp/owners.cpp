// The C++ header: owners, exceptions, streams. Runs in an office that run.sh has made.
#include "bulla.hpp"

#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <thread>
#include <type_traits>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " #condition " does not hold\n";        \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

template <class Act> void throws(std::int32_t code, Act &&act) {
    try {
        act();
    } catch (const bulla::error &e) {
        if (e.code() != code) std::cerr << e.code() << ": " << e.what() << '\n';
        CHECK(e.code() == code && *e.what() != 0 && *e.name() != 0);
        return;
    }
    std::cerr << "nothing was thrown in place of " << code << '\n';
    std::exit(1);
}

static std::string text_of(const std::filesystem::path &path) {
    std::ifstream in(path, std::ios::binary);
    CHECK(in.good());
    return {std::istreambuf_iterator<char>(in), {}};
}

static bulla::session desk() {
    bulla::session_options options;
    options.home = "desk";
    options.duties = {"watermark", "mask"};
    options.ticket = "T-9";
    return bulla::session(options);
}

static bulla::sealer issuer(const char *policy) {
    bulla::sealer_options options;
    options.home = "issuer";
    options.policy = text_of(policy);
    options.recipients = text_of("desk/identity.pub");
    options.label = "cpp";
    options.batch = true;
    return bulla::sealer(options);
}

static bulla::seal_options replacing() {
    bulla::seal_options options;
    options.replace = true;
    return options;
}

static std::string content() {
    std::ostringstream text;
    for (int i = 0; i < 20000; i++) text << "line " << i << '\n';
    return text.str();
}

class Memory : public bulla::source {
public:
    Memory(std::string data, int *gone) : data_(std::move(data)), gone_(gone) {}
    ~Memory() override { ++*gone_; }
    std::size_t read_at(std::uint64_t offset, void *buf, std::size_t len) override {
        if (fails) throw std::runtime_error("the database is gone");
        std::size_t at = static_cast<std::size_t>(offset);
        std::size_t n = at < data_.size() ? std::min(len, data_.size() - at) : 0;
        std::memcpy(buf, data_.data() + at, n);
        return n;
    }
    std::uint64_t size() override { return data_.size(); }
    bool fails = false;

private:
    std::string data_;
    int *gone_;
};

static void owners_move() {
    static_assert(!std::is_copy_constructible_v<bulla::file>);
    static_assert(!std::is_copy_assignable_v<bulla::session>);
    static_assert(std::is_nothrow_move_constructible_v<bulla::file>);
    static_assert(std::is_nothrow_move_assignable_v<bulla::writer>);
    static_assert(sizeof(bulla::file) == sizeof(void *), "the deleter takes no room");
    bulla::session session = desk();
    bulla::session moved = std::move(session);
    CHECK(session.get() == nullptr && moved.get() != nullptr);
    CHECK(moved.device().size() == 43);
    throws(BULLA_E_BAD_ARGUMENT, [&] { session.refresh(); });
    moved.refresh();
    moved.use_badge("no badge");
}

static void streams() {
    bulla::session session = desk();
    std::string text = content(), line;
    {
        bulla::ofstream out(issuer("all.json").begin("s.bulla", replacing()));
        out << text.substr(0, 5) << text.substr(5) << std::flush;
        out.finish();
    }
    bulla::ifstream in(session, "s.bulla");
    std::string back{std::istreambuf_iterator<char>(in), {}};
    CHECK(back == text);
    in.clear();
    in.seekg(-10, std::ios::end);
    CHECK(in.tellg() == static_cast<std::streamoff>(text.size() - 10));
    std::getline(in, line);
    in.seekg(static_cast<std::streamoff>(text.find("line 777\n")));
    std::getline(in, line);
    CHECK(line == "line 777");
    std::getline(in, line);
    CHECK(line == "line 778");
    in.seekg(0);
    int number = -1;
    in >> line >> number;
    CHECK(line == "line" && number == 0);
    CHECK(in.opened().size() == text.size());

    // A changed file is an exception, not a short file.
    std::string sealed = text_of("s.bulla");
    sealed[sealed.size() - 100000] = static_cast<char>(sealed[sealed.size() - 100000] ^ 1);
    std::ofstream("changed.bulla", std::ios::binary) << sealed;
    throws(BULLA_E_BAD_CHUNK, [&] {
        bulla::ifstream changed(session, "changed.bulla");
        while (std::getline(changed, line)) {
        }
    });
}

static void nothing_is_left_of_what_was_not_finished() {
    try {
        bulla::ofstream out(issuer("all.json").begin("never.bulla"));
        out << "half of it";
        throw std::runtime_error("a defect of the program");
    } catch (const std::runtime_error &) {
    }
    CHECK(!std::filesystem::exists("never.bulla"));
}

static void saves_and_exports() {
    bulla::session session = desk();
    std::ofstream("plain.csv", std::ios::binary) << "name\nKim\n";
    CHECK(issuer("all.json").seal_file("plain.csv", "p.bulla", replacing()).size() == 32);
    throws(BULLA_E_EXISTS, [] { issuer("all.json").seal_file("plain.csv", "p.bulla"); });
    bulla::file file(session, "p.bulla");
    CHECK(file.metadata().name == "plain.csv" && file.metadata().modified);
    CHECK(file.revision() == 1 && file.may(bulla::right::edit));
    bulla::writer writer = file.save();
    writer.write("name\nLee\n");
    CHECK(writer.file_id() == file.id());
    writer.finish();
    throws(BULLA_E_BAD_STATE, [&] { writer.finish(); });
    bulla::file again(session, "p.bulla");
    CHECK(again.revision() == 2);
    std::uint64_t seen = 0;
    CHECK(again.export_to("back.csv", true, [&](std::uint64_t done, std::uint64_t total) {
        seen = done;
        return done <= total;
    }) == 9);
    CHECK(seen == 9 && text_of("back.csv") == "name\nLee\n");
    throws(BULLA_E_CANCELLED, [&] {
        again.export_to("stopped.csv", false,
                        [](std::uint64_t, std::uint64_t) -> bool { throw 1; });
    });
    CHECK(!std::filesystem::exists("stopped.csv"));
    char buf[4];
    CHECK(again.pread(5, buf, 4) == 4 && std::memcmp(buf, "Lee\n", 4) == 0);
    CHECK(again.seek(-4, BULLA_SEEK_END) == 5 && again.read(buf, 4) == 4);
#if defined(__cpp_lib_span)
    std::array<std::byte, 4> bytes{};
    CHECK(again.pread(5, std::span<std::byte>(bytes)) == 4 && bytes[0] == std::byte{'L'});
    CHECK(again.read(std::span<std::byte>(bytes)) == 0);
#endif
    CHECK(bulla::inspect("p.bulla").content_size == 9);
    CHECK(session.verify_trail().find("\"records\":") != std::string::npos);
    CHECK(session.explain("p.bulla").find("\"rights\":[{") != std::string::npos);
}

static void rights_and_duties() {
    bulla::session session = desk();
    std::ofstream("plain.csv", std::ios::binary) << "ssn\n1\n";
    issuer("masked.json").seal_file("plain.csv", "m.bulla", replacing());
    bulla::file file(session, "m.bulla");
    bulla::duties todo = file.duties(bulla::right::view);
    CHECK(todo.has(BULLA_DUTY_MASK) && todo.has(BULLA_DUTY_WATERMARK));
    CHECK(!todo.has(BULLA_DUTY_WIPE) && todo.columns == "[\"phone\",\"ssn\"]");
    CHECK(file.watermark().find("T-9") != std::string::npos);
    CHECK(file.until().has_value() && !file.decision().empty());
    file.use(bulla::right::print);
    throws(BULLA_E_MISSING_RIGHT, [&] { file.duties(bulla::right::export_); });
    throws(BULLA_E_MISSING_RIGHT, [&] { file.save(); });
    issuer("nobody.json").seal_file("plain.csv", "n.bulla", replacing());
    try {
        bulla::file denied(session, "n.bulla");
        CHECK(false);
    } catch (const bulla::error &e) {
        CHECK(e.code() == BULLA_E_DENIED && e.is_denied() && !e.is_tampered());
        CHECK(e.decision().find("\"refused\":[{") != std::string::npos);
    }
}

static void sources() {
    bulla::session session = desk();
    std::ofstream("plain.csv", std::ios::binary) << content();
    issuer("all.json").seal_file("plain.csv", "o.bulla", replacing());
    std::string sealed = text_of("o.bulla");
    CHECK(bulla::is_sealed(sealed.data(), sealed.size()));
    int gone = 0;
    {
        auto memory = std::make_unique<Memory>(sealed, &gone);
        Memory *kept = memory.get();
        bulla::file file(session, std::move(memory));
        std::string text(content().size(), ' ');
        CHECK(file.read(&text[0], text.size()) == text.size() && text == content());
        kept->fails = true; // an exception inside comes back as an error
        throws(BULLA_E_IO, [&] { file.pread(0, &text[0], text.size()); });
        CHECK(gone == 0);
        std::thread([&] { throws(BULLA_E_IO, [&] { file.pread(0, &text[0], 100000); }); }).join();
    }
    CHECK(gone == 1);
    auto broken = std::make_unique<Memory>("not sealed at all", &gone);
    throws(BULLA_E_NOT_SEALED, [&] { bulla::file file(session, std::move(broken)); });
    CHECK(gone == 2);

    // A stream whose reads fail now and then misses nothing.
    auto unsteady = std::make_unique<Memory>(sealed, &gone);
    Memory *kept = unsteady.get();
    bulla::ifstream in(bulla::file(session, std::move(unsteady)));
    std::string back;
    int failures = 0;
    for (;;) {
        int c;
        kept->fails = true;
        try {
            c = in.get();
        } catch (const bulla::error &) {
            failures++;
            in.clear();
            kept->fails = false;
            c = in.get();
        }
        if (c == std::char_traits<char>::eof()) break;
        back.push_back(static_cast<char>(c));
    }
    CHECK(failures > 1 && back == content());
}

int main() {
    bulla::require_abi();
    CHECK(!bulla::version().empty());
    owners_move();
    streams();
    nothing_is_left_of_what_was_not_finished();
    saves_and_exports();
    rights_and_duties();
    sources();
    std::cout << "ok owners\n";
}
