"""Run all measurements, one after another."""

from bench import feeds, news_page, politeness, polling, throughput

if __name__ == "__main__":
    throughput.main()
    news_page.main()
    feeds.main()
    polling.main()
    politeness.main()
