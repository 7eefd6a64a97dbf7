rule cam:
    input:
        manifests=lambda wildcards: [] if plan.frozen(wildcards.key) else manifests_of(wildcards),
        checks=lambda wildcards: [] if plan.frozen(wildcards.key) else all_shards_of("dataset")(wildcards),
        list=lambda wildcards: [] if plan.frozen(wildcards.key) else list_of(wildcards),
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
        workers=workers_of,
    params:
        code=sources_digest("cam"),
        dataset=lambda wildcards, input: option("dataset", input.list),
    shell:
        "matlabel cam --settings {input.settings} {params.dataset} --out {output.weights} --device {resources.device} --workers {resources.workers}"
        " --code {params.code} 2>&1 | tee {log}"
