rule cam:
    input:
        manifests=manifests_of,
        checks=all_shards_of("dataset"),
        list=list_of,
        settings="results/cam/{key}/settings.yaml",
        start=start_of,
        code=code_of("cam"),
    output:
        weights="results/cam/{key}/weights.pt",
        history="results/cam/{key}/history.csv",
    log:
        "logs/cam/{key}.log",
    threads: threads_of
    resources:
        gpu=gpus_of,
        device=plan.config.device,
    shell:
        "matlabel cam --settings {input.settings} --dataset {input.list} --out {output.weights} --device {resources.device}"
        " --code $(basename {input.code}) 2>&1 | tee {log}"
