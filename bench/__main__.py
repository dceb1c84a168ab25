"""Run every measurement, one after another."""

from bench import feeds, news_page, throughput

if __name__ == "__main__":
    throughput.main()
    news_page.main()
    feeds.main()
