/* As c/interop.c says. */
#include <bulla.hpp>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

static bool copy(std::istream &in, std::ostream &out) {
    std::vector<char> block(1 << 16);
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
        out.write(block.data(), in.gcount());
    return out.good();
}

static void seal(const bulla::sealer &sealer, const std::string &from, const std::string &to) {
    std::ifstream in(from, std::ios::binary);
    bulla::ofstream out(sealer.begin(to));
    copy(in, out);
    out.finish();
}

static void open(const bulla::session &session, const std::string &from, const std::string &to) {
    bulla::ifstream in(session, from);
    std::ofstream out(to, std::ios::binary);
    if (!copy(in, out)) throw std::runtime_error("cannot write");
}

static int run(const std::vector<std::string> &args) {
    bulla::session_options options;
    options.home = args.at(1);
    bulla::session session(options);
    if (args[0] == "seal") {
        std::ostringstream text;
        text << std::ifstream(args.at(2), std::ios::binary).rdbuf();
        bulla::sealer sealer(session, text.str());
        for (std::size_t i = 3; i + 1 < args.size(); i += 2) seal(sealer, args[i], args[i + 1]);
    } else if (args[0] == "open") {
        for (std::size_t i = 2; i + 1 < args.size(); i += 2) open(session, args[i], args[i + 1]);
    } else {
        try {
            bulla::file opened(session, args.at(2));
        } catch (const bulla::error &e) {
            if (!e.is_denied() || e.decision().empty()) throw;
            std::cout << e.code() << '\t' << e.name() << '\n' << e.decision() << std::endl;
            return 3;
        }
        return 2;
    }
    return 0;
}

int main(int argc, char **argv) {
    try {
        bulla::require_abi();
        return run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const bulla::error &e) {
        std::cerr << e.code() << '\t' << e.name() << std::endl;
        return 1;
    } catch (const std::exception &e) {
        std::cerr << e.what() << std::endl;
        return 2;
    }
}
