// Merges the customers of sealed CSVs into one sealed file: streams in, a stream out, no plain file.
//
//     merge_cards DESK-HOME TEMPLATE PERMIT OUTPUT INPUT...
//
// c++ -std=c++17 merge_cards.cpp -lbulla
#include <bulla.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

static std::string text_of(const char *path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(std::string(path) + " cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

int main(int argc, char **argv) try {
    if (argc < 6) {
        std::cerr << "usage: merge_cards HOME TEMPLATE PERMIT OUTPUT INPUT...\n";
        return 2;
    }
    bulla::require_abi();
    bulla::session_options options;
    options.home = argv[1];
    bulla::session session(options);
    bulla::sealer sealer(session, text_of(argv[2]), text_of(argv[3]));

    bulla::seal_options how;
    how.replace = true;
    how.metadata.emplace();
    how.metadata->name = "merged.csv";
    bulla::ofstream out(sealer.begin(argv[4], how));
    std::size_t cards = 0;
    for (int i = 5; i < argc; i++) {
        bulla::ifstream in(session, argv[i]);
        std::string line;
        for (bool header = true; std::getline(in, line); header = false) {
            if (header && i > 5) continue;
            out << line << '\n';
            cards += header ? 0 : 1;
        }
    }
    out.finish(); // without this, nothing is left behind
    std::cout << "merged " << cards << " cards\n";
    return 0;
} catch (const bulla::error &e) {
    std::cerr << e.what() << " [" << e.name() << "]\n" << e.decision();
    return 1;
} catch (const std::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
