// Counts the words of /inputs/text the way C++ does: streams, containers, algorithms.
#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

int main(int argc, char **argv) {
	std::ifstream in(argc > 1 ? argv[1] : "/inputs/text");
	if (!in) {
		std::cerr << "cannot read\n";
		return 1;
	}
	std::map<std::string, int> count;
	for (std::string word; in >> word;) {
		std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
		++count[word];
	}
	std::vector<std::pair<std::string, int>> list(count.begin(), count.end());
	std::stable_sort(list.begin(), list.end(), [](auto &a, auto &b) { return a.second > b.second; });
	std::ofstream out("/outputs/words.txt");
	for (auto &[word, n] : list) {
		out << std::setw(4) << n << ' ' << word << '\n';
	}
	std::ostringstream mean;
	mean << std::fixed << std::setprecision(3) << static_cast<double>(list.size()) / argc;
	std::cout << list.size() << " words, " << mean.str() << '\n';
	return out.flush() ? 5 : 2;
}
