from huijia.cli import main

main()
