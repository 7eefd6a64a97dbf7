rule segmenter:
    input:
        manifests=manifests_of,
        checks=all_shards_of("dataset"),
        labels=all_shards_of("labels"),
        mattes=all_shards_of("mattes"),
        list=list_of,
        settings="results/segmenter/{key}/settings.yaml",
        start=start_of,
        code=code_of("segmenter"),
    output:
        weights="results/segmenter/{key}/weights.pt",
        history="results/segmenter/{key}/history.csv",
    log:
        "logs/segmenter/{key}.log",
    threads: threads_of
    resources:
        gpu=gpus_of,
        device=plan.config.device,
        workers=workers_of,
    params:
        code=sources_digest("segmenter"),
        labels=folder_option("labels"),
        mattes=folder_option("mattes"),
        cam=lambda wildcards: option("cam", cam_of(wildcards)),
    shell:
        "matlabel segmenter --settings {input.settings} --dataset {input.list} {params.labels} {params.mattes}"
        " {params.cam}"
        " --out {output.weights} --device {resources.device} --workers {resources.workers} --code {params.code} 2>&1 | tee {log}"
